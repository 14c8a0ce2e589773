"""May this id token charge here? Answered from two cheap reads (half a read unit each)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DELIVERING_STATES,
    MIN_AVAILABLE,
    NO_AUTHORIZATION,
    Authorization,
    AuthorizationStatus,
    ChargingSession,
)
from chalicelib.charging.service.paying import coverage_of_card
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import IdToken, looks_like_app_token
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.money import Money
from chalicelib.wallets import service as wallets

LONGEST_MEMORY = timedelta(days=14)
"""How long ago a charger that was offline may have begun; a clock that is off by more is not believed."""
_OPERATOR_CACHE_S = 300


def authorize_id_token(
    ctx: Context, *, charger: Charger, id_token: str, id_token_kind: str | None = None, is_payer: bool = False
) -> Authorization:
    """Known, active, not expired, and its driver has money in the operator's currency, or an enterprise that pays.

    Unknown tokens are `invalid`, empty wallets `no_credit` (1.6 has no word for them but blocked). The token of a
    driver's app is no card: it opens a charger only where the driver has asked for a charge. A card whose driver
    charges here is good for ending that, though all the money is reserved: the charger goes by their group.
    `id_token_kind` is OCPP 2.x's: a charger that was set up to ask nobody (NoAuthorization) is obeyed. `is_payer`: the
    money is read with certainty, for a hold.
    """
    if id_token_kind == NO_AUTHORIZATION:
        return Authorization("accepted")
    found = drivers.find_id_token(ctx, id_token, consistent=False) if id_token else None
    if found is None and looks_like_app_token(id_token) and _has_open_session(ctx, charger, id_token):
        return Authorization("accepted")  # a guest's: it is no row of its own
    if found is None or found.driver_id is None:
        return Authorization("invalid")
    if found.kind == "app" and not _has_open_session(ctx, charger, found.id_token):
        return Authorization("invalid")
    verdict: AuthorizationStatus = found.verdict(charger.operator_id, ctx.now())
    if found.kind == "app":
        return Authorization(verdict, found.driver_id, parent=_group(found, verdict))
    payer = _payer_of(ctx, charger, found, found.driver_id, asks_money=verdict == "accepted", is_payer=is_payer)
    if verdict == "accepted" and not payer.can_pay:
        verdict = "accepted" if _charges_here(ctx, charger, found.driver_id) else "no_credit"
    groups = drivers.groups_at(found.driver_groups, charger.operator_id)
    return Authorization(
        verdict,
        found.driver_id,
        found.expires_at,
        _group(found, verdict),
        payer.enterprise_id,
        groups,
        available=payer.available if is_payer else None,
    )


def authorize_payer(
    ctx: Context,
    *,
    charger: Charger,
    id_token: str,
    id_token_kind: str | None = None,
    began_at: datetime | None = None,
) -> Authorization:
    """As `authorize_id_token`, for who shall pay for a delivery that answers no request: the token of an app, good
    for ending the charge that was asked for, pays for no other one beside it.

    A card that nobody has any more is paid for by who had it when the delivery began, if a charger that was offline
    tells so in time: else whoever removes a card before the charger is back has charged for nothing.
    """
    authorization = authorize_id_token(
        ctx, charger=charger, id_token=id_token, id_token_kind=id_token_kind, is_payer=True
    )
    driver_id = authorization.driver_id
    if driver_id is None:
        if looks_like_app_token(id_token) and id_token_kind != NO_AUTHORIZATION:
            return Authorization("invalid")  # a guest's, whose card pays for the charge that it was asked for alone
        former = _former_owner(ctx, id_token, began_at) if authorization.status == "invalid" else None
        return authorization if former is None else _authorization_of_former(ctx, charger, former, id_token)
    return Authorization("invalid") if is_app_token(driver_id, id_token) else authorization


def _former_owner(ctx: Context, id_token: str, began_at: datetime | None) -> str | None:
    if not id_token or began_at is None or ctx.now() - began_at > LONGEST_MEMORY:
        return None
    former = drivers.find_former_owner(ctx, id_token)
    return former.driver_id if former is not None and began_at < former.until else None


def _authorization_of_former(ctx: Context, charger: Charger, driver_id: str, id_token: str) -> Authorization:
    """It charges no more, but what it charged who had it pays: the driver, or the driver's enterprise."""
    driver, operator = drivers.get_driver(ctx, driver_id), operator_of(ctx, charger.operator_id)
    enterprises = driver.enterprises if driver is not None else {}
    covered = coverage_of_card(ctx, enterprises, operator, driver_id=driver_id, id_token=id_token)
    return Authorization(
        "blocked",
        driver_id,
        enterprise_id=covered.enterprise_id if covered else None,
        driver_groups=drivers.groups_at(driver.groups, charger.operator_id) if driver is not None else (),
    )


def is_app_token(driver_id: str, id_token: str) -> bool:
    return id_token.upper() == drivers.app_token(driver_id)


def authorization_of(ctx: Context, session: ChargingSession) -> Authorization:
    """What was decided about who pays, with what a charger's cache wants to know of the card besides: the answer to a
    start that is told again is the one that it got."""
    driver_id = session.driver_id
    if driver_id is None:
        return Authorization(session.authorization)
    if is_app_token(driver_id, session.id_token):
        return authorization_of_app(driver_id, session.authorization)
    found = drivers.find_id_token(ctx, session.id_token, consistent=False)
    if found is None:
        return Authorization(session.authorization, driver_id)
    return Authorization(session.authorization, driver_id, found.expires_at, _group(found, session.authorization))


def authorization_of_app(driver_id: str, status: AuthorizationStatus) -> Authorization:
    """Of the app's token: the driver's own cards are of its group, and end at the charger what it began."""
    return Authorization(status, driver_id, parent=drivers.driver_group(driver_id) if status == "accepted" else None)


def _group(id_token: IdToken, verdict: AuthorizationStatus) -> str | None:
    """The driver's own group is told of tokens that may charge: no other one can end anything by it."""
    return id_token.group if verdict == "accepted" else id_token.group_id


class _Payer(NamedTuple):
    """Whether there is money for a charge, the enterprise whose it is (None: it is the driver's own), and how much the
    driver's own is, where that was looked at."""

    can_pay: bool
    enterprise_id: str | None = None
    available: Money | None = None


def _payer_of(
    ctx: Context, charger: Charger, card: IdToken, driver_id: str, *, asks_money: bool, is_payer: bool
) -> _Payer:
    operator = operator_of(ctx, charger.operator_id)
    covered = coverage_of_card(ctx, card.enterprises, operator, driver_id=driver_id, id_token=card.id_token)
    if covered is not None:
        return _Payer(covered.refusal is None, covered.enterprise_id)
    if not asks_money:
        return _Payer(False)
    available = wallets.reservable(ctx, driver_id, operator.currency, consistent=is_payer)
    return _Payer(available.amount >= MIN_AVAILABLE, available=available)


def _has_open_session(ctx: Context, charger: Charger, id_token: str) -> bool:
    for occupancy in lookup.list_occupancies(ctx, charger.charger_key):
        if occupancy.id_token.upper() == id_token.upper():
            session = lookup.find_session(ctx, occupancy.session_id)
            if session is not None and session.is_open and session.authorization == "accepted":
                return True
    return False


def _charges_here(ctx: Context, charger: Charger, driver_id: str) -> bool:
    return any(
        session.driver_id == driver_id and session.state in DELIVERING_STATES and session.authorization == "accepted"
        for session in lookup.sessions_at(ctx, charger.charger_key)
    )


def operator_of(ctx: Context, operator_id: str) -> Organization:
    """The operator's organisation; name, currency and zone may be some minutes old. Raises organization.not_found."""
    cache = ctx.cache("charging.operators", size=1024, ttl_s=_OPERATOR_CACHE_S)
    known: Organization | None = cache.get(operator_id)
    if known is None:
        known = identity.get_organization(ctx, operator_id)
        cache.put(operator_id, known)
    return known
