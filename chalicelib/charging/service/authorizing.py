"""May this id token charge here? Answered from two cheap reads (half a read unit each)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.charging.model import MIN_AVAILABLE, Authorization
from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.wallets import service as wallets

_OPERATOR_CACHE_S = 300


def authorize_id_token(ctx: Context, *, charger: Charger, id_token: str) -> Authorization:
    """Known, active, not expired, and its driver has money in the operator's currency.

    Unknown tokens are `invalid`, blocked ones and empty wallets `blocked` (OCPP 1.6 AuthorizationStatus).
    """
    found = drivers.find_id_token(ctx, id_token, consistent=False)
    if found is None or found.driver_id is None:
        return Authorization("invalid")
    verdict = found.verdict(charger.operator_id, ctx.now())
    if verdict != "accepted":
        return Authorization(verdict, found.driver_id, found.expires_at, found.group_id)
    currency = operator_of(ctx, charger.operator_id).currency
    if wallets.available(ctx, found.driver_id, currency, consistent=False).amount < MIN_AVAILABLE:
        return Authorization("blocked", found.driver_id, found.expires_at, found.group_id)
    return Authorization("accepted", found.driver_id, found.expires_at, found.group_id)


def operator_of(ctx: Context, operator_id: str) -> Organization:
    """The operator's organisation; name, currency and zone may be some minutes old. Raises organization.not_found."""
    cache = ctx.cache("charging.operators", size=1024, ttl_s=_OPERATOR_CACHE_S)
    known: Organization | None = cache.get(operator_id)
    if known is None:
        known = identity.get_organization(ctx, operator_id)
        cache.put(operator_id, known)
    return known
