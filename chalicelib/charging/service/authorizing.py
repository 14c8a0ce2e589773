"""May this id token charge here? Answered from two cheap reads (half a read unit each)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    MIN_AVAILABLE,
    NO_AUTHORIZATION,
    Authorization,
    AuthorizationStatus,
    ChargingSession,
)
from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.wallets import service as wallets

_OPERATOR_CACHE_S = 300


def authorize_id_token(
    ctx: Context, *, charger: Charger, id_token: str, id_token_kind: str | None = None
) -> Authorization:
    """Known, active, not expired, and its driver has money in the operator's currency.

    Unknown tokens are `invalid`, empty wallets `no_credit` (1.6 has no word for them but blocked). The token of a
    driver's app is no card: it opens a charger only where the driver has asked for a charge. A card whose charge runs
    here is good for ending it, though all the money is reserved. `id_token_kind` is OCPP 2.x's: a charger that was set
    up to ask nobody (NoAuthorization) is obeyed.
    """
    if id_token_kind == NO_AUTHORIZATION:
        return Authorization("accepted")
    found = drivers.find_id_token(ctx, id_token, consistent=False) if id_token else None
    if found is None or found.driver_id is None:
        return Authorization("invalid")
    if found.kind == "app" and not _has_open_session(ctx, charger, found.id_token):
        return Authorization("invalid")
    verdict: AuthorizationStatus = found.verdict(charger.operator_id, ctx.now())
    if found.kind == "app":
        return Authorization(verdict, found.driver_id)
    if verdict == "accepted" and not _can_pay(ctx, charger, found.driver_id):
        verdict = "accepted" if _has_open_session(ctx, charger, found.id_token) else "no_credit"
    return Authorization(verdict, found.driver_id, found.expires_at, found.group_id)


def authorize_payer(
    ctx: Context, *, charger: Charger, id_token: str, id_token_kind: str | None = None
) -> Authorization:
    """As `authorize_id_token`, for who shall pay for a delivery that answers no request: the token of an app, good
    for ending the charge that was asked for, pays for no other one beside it."""
    authorization = authorize_id_token(ctx, charger=charger, id_token=id_token, id_token_kind=id_token_kind)
    driver_id = authorization.driver_id
    if driver_id is not None and is_app_token(driver_id, id_token):
        return Authorization("invalid")
    return authorization


def is_app_token(driver_id: str, id_token: str) -> bool:
    return id_token.upper() == drivers.app_token(driver_id)


def authorization_of(ctx: Context, session: ChargingSession) -> Authorization:
    """What was decided about who pays, with what a charger's cache wants to know of the card besides: the answer to a
    start that is told again is the one that it got."""
    found = drivers.find_id_token(ctx, session.id_token, consistent=False) if session.driver_id else None
    if found is None or found.kind == "app":
        return Authorization(session.authorization, session.driver_id)
    return Authorization(session.authorization, session.driver_id, found.expires_at, found.group_id)


def _can_pay(ctx: Context, charger: Charger, driver_id: str) -> bool:
    currency = operator_of(ctx, charger.operator_id).currency
    return wallets.available(ctx, driver_id, currency, consistent=False).amount >= MIN_AVAILABLE


def _has_open_session(ctx: Context, charger: Charger, id_token: str) -> bool:
    for occupancy in lookup.list_occupancies(ctx, charger.charger_key):
        if occupancy.id_token.upper() == id_token.upper():
            session = lookup.find_session(ctx, occupancy.session_id)
            if session is not None and session.is_open and session.authorization == "accepted":
                return True
    return False


def operator_of(ctx: Context, operator_id: str) -> Organization:
    """The operator's organisation; name, currency and zone may be some minutes old. Raises organization.not_found."""
    cache = ctx.cache("charging.operators", size=1024, ttl_s=_OPERATOR_CACHE_S)
    known: Organization | None = cache.get(operator_id)
    if known is None:
        known = identity.get_organization(ctx, operator_id)
        cache.put(operator_id, known)
    return known
