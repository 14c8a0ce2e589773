"""May this id token charge here? Answered from two cheap reads (half a read unit each)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger, charger_key
from chalicelib.charging import lookup
from chalicelib.charging.model import MIN_AVAILABLE, Authorization
from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.wallets import service as wallets

_OPERATOR_CACHE_S = 300


def authorize_id_token(ctx: Context, *, charger: Charger, id_token: str) -> Authorization:
    """Known, active, not expired, and its driver has money in the operator's currency.

    Unknown tokens are `invalid`, blocked ones and empty wallets `blocked` (OCPP 1.6 AuthorizationStatus). The token of
    a driver's app is no card: it opens a charger only where the driver has asked for a charge.
    """
    found = drivers.find_id_token(ctx, id_token, consistent=False)
    if found is None or found.driver_id is None:
        return Authorization("invalid")
    if found.kind == "app" and not _is_asked_for(ctx, charger, found.id_token):
        return Authorization("invalid")
    verdict = found.verdict(charger.operator_id, ctx.now())
    if found.kind == "app":
        return Authorization(verdict, found.driver_id)
    if verdict != "accepted":
        return Authorization(verdict, found.driver_id, found.expires_at, found.group_id)
    currency = operator_of(ctx, charger.operator_id).currency
    if wallets.available(ctx, found.driver_id, currency, consistent=False).amount < MIN_AVAILABLE:
        return Authorization("blocked", found.driver_id, found.expires_at, found.group_id)
    return Authorization("accepted", found.driver_id, found.expires_at, found.group_id)


def _is_asked_for(ctx: Context, charger: Charger, id_token: str) -> bool:
    for occupancy in lookup.list_occupancies(ctx, charger_key(charger.charger_id)):
        if occupancy.id_token.upper() == id_token.upper():
            session = lookup.find_session(ctx, occupancy.session_id)
            if session is not None and session.is_open:
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
