"""Members of enterprises: who they are, and what an enterprise still pays for one of them.

The driver's row says of which enterprises the driver is a member, the id tokens' rows carry copies, so that drivers
without an enterprise cost nothing more. Usage is counted per member and month, in the commit of the hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chalicelib.drivers.model import Driver, app_token
from chalicelib.drivers.model.enterprises import Coverage, Enterprise, Member, Refusal, Usage, check_member
from chalicelib.drivers.service.enterprises import find_enterprise, free_credit
from chalicelib.drivers.service.profiles import save_driver
from chalicelib.drivers.store import (
    DRIVERS,
    ID_TOKENS,
    MEMBERS,
    USAGES,
    DriverRow,
    IdTokenRow,
    MemberRow,
    UsageRow,
    driver_key,
    enterprise_pk,
    member_key,
    token_key,
    usage_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page
from chalicelib.kernel.unit_of_work import UnitOfWork

# -- who is a member ----------------------------------------------------------------------------------------------


def find_member(ctx: Context, enterprise_id: str, driver_id: str, *, consistent: bool = True) -> Member | None:
    return MEMBERS.get(ctx, *member_key(enterprise_id, driver_id), consistent=consistent)


def require_member(ctx: Context, enterprise_id: str, driver_id: str) -> Member:
    """Raises enterprise_member.not_found."""
    member = find_member(ctx, enterprise_id, driver_id)
    if member is None:
        raise not_found("enterprise_member", driver_id)
    return member


def put_member(uow: UnitOfWork, enterprise: Enterprise, driver: Driver, member: Member) -> Member:
    """Makes the driver a member, or changes how. The second click changes nothing.

    Raises enterprise_member.elsewhere (409): of one enterprise per operator, enterprise_member.period.
    """
    check_member(member)
    present = driver.enterprises.get(enterprise.operator_id)
    if present not in (None, enterprise.enterprise_id):
        raise conflict("enterprise_member.elsewhere", "The driver is a member of another enterprise of yours.")
    if present is None:
        _name_enterprise(uow, driver, {**driver.enterprises, enterprise.operator_id: enterprise.enterprise_id})
    elif find_member(uow.ctx, member.enterprise_id, member.driver_id) == member:
        return member
    else:
        # Somebody who removes the member at this moment would leave the row of one who is none.
        unchanged = DriverRow.revision == driver.revision
        uow.check(DRIVERS, driver_key(driver.driver_id), unchanged, StaleRead("The driver"), name="driver")
    uow.put(MEMBERS, member)
    return member


def remove_member(uow: UnitOfWork, enterprise: Enterprise, driver: Driver) -> None:
    """From now on the driver pays alone; what the enterprise pays for already, it pays."""
    left = {operator: chosen for operator, chosen in driver.enterprises.items() if chosen != enterprise.enterprise_id}
    if left != driver.enterprises:
        _name_enterprise(uow, driver, left)
    uow.delete(MEMBERS, member_key(enterprise.enterprise_id, driver.driver_id), name="enterprise member")


def leave_enterprises(uow: UnitOfWork, driver: Driver) -> Driver:
    """For a driver who goes: no enterprise has them as a member any more. Writes the memberships only; the caller
    writes the driver that is returned, and what becomes of the id tokens."""
    for enterprise_id in driver.enterprises.values():
        uow.delete(MEMBERS, member_key(enterprise_id, driver.driver_id), name="enterprise member")
    return replace(driver, enterprises={})


def list_members(ctx: Context, enterprise_id: str, *, limit: int, cursor: str | None) -> Page[Member]:
    """By time of sign-up."""
    return MEMBERS.query(
        ctx, enterprise_pk(enterprise_id), MemberRow.sk.startswith("member#"), limit=limit, cursor=cursor
    )


def used_in_month(ctx: Context, enterprise_id: str, driver_ids: Iterable[str], month: str) -> dict[str, int]:
    """Minor units by driver, running charges with what is held for them; drivers without a charge are left out."""
    keys = [usage_key(enterprise_id, driver_id, month) for driver_id in driver_ids]
    return {usage.driver_id: usage.used for usage in USAGES.batch_get(ctx, keys)}


def _name_enterprise(uow: UnitOfWork, driver: Driver, enterprises: dict[str, str]) -> None:
    """On the driver's row and on all id tokens, guarded by the driver's revision."""
    for id_token in (*driver.id_tokens, app_token(driver.driver_id)):
        uow.update(
            ID_TOKENS,
            token_key(id_token),
            [IdTokenRow.enterprises.set(enterprises)],
            condition=IdTokenRow.driver_id == driver.driver_id,
            name="id token",
        )
    save_driver(uow, driver, replace(driver, enterprises=enterprises))


# -- what it pays -------------------------------------------------------------------------------------------------


def coverage(
    ctx: Context,
    enterprises: Mapping[str, str],
    *,
    operator_id: str,
    driver_id: str,
    id_token: str | None,
    currency: str,
    month: str,
    consistent: bool = True,
) -> Coverage | None:
    """Whether an enterprise stands for this driver's next charge at this operator, and for how much of it. None: it
    is the driver's own. `enterprises` are the driver's or the id token's, `id_token` None for the app.

    Without an enterprise at this operator nothing is read.
    """
    enterprise_id = enterprises.get(operator_id)
    member = None if enterprise_id is None else find_member(ctx, enterprise_id, driver_id, consistent=consistent)
    if member is None or not member.covers(id_token, ctx.now()):
        return None
    enterprise = find_enterprise(ctx, member.enterprise_id, consistent=consistent)
    if enterprise is None:
        return None
    refusal: Refusal | None = None
    room = 0
    if enterprise.state != "active":
        refusal = "inactive"
    elif enterprise.currency != currency:
        refusal = "currency"
    else:
        used = _used(ctx, member, month, consistent=consistent)
        room = member.room(free_credit(ctx, enterprise, consistent=consistent).amount, used)
        refusal = None if room else "limit_reached"
    return Coverage(member.enterprise_id, Money(room, currency), refusal, member.wallet_fallback)


def room_beyond(ctx: Context, *, enterprise_id: str, driver_id: str, month: str, held: Money) -> Money:
    """What a running charge may take besides its hold; nothing for a driver who is no member any more."""
    member = find_member(ctx, enterprise_id, driver_id)
    enterprise = find_enterprise(ctx, enterprise_id)
    if member is None or enterprise is None:
        return Money.zero(held.currency)
    free = free_credit(ctx, enterprise).amount
    return Money(member.room_beyond(free, _used(ctx, member, month, consistent=True), held.amount), held.currency)


def count_usage(uow: UnitOfWork, *, enterprise_id: str, driver_id: str, month: str, by: int) -> None:
    """Counts what a charge takes (`by` minor units; below zero: what it gives back) in the member's month: one write.

    StaleRead at the commit where another charge was faster and the month has no room any more.
    """
    if not by:
        return
    member = find_member(uow.ctx, enterprise_id, driver_id) if by > 0 else None
    limit = None if member is None else member.monthly_limit
    condition = None
    if limit is not None:
        if by > limit:
            raise StaleRead("The member's limit")
        condition = UsageRow.used.does_not_exist() | (UsageRow.used <= limit - by)
    uow.update(
        USAGES,
        usage_key(enterprise_id, driver_id, month),
        [
            UsageRow.enterprise_id.set(enterprise_id),
            UsageRow.driver_id.set(driver_id),
            UsageRow.month.set(month),
            UsageRow.used.add(by),
        ],
        condition=condition,
        on_conflict=StaleRead("The member's month"),
        name="member usage",
    )


def _used(ctx: Context, member: Member, month: str, *, consistent: bool) -> int:
    """Only needed, and read, where the month has a limit."""
    if member.monthly_limit is None:
        return 0
    usage: Usage | None = USAGES.get(
        ctx, *usage_key(member.enterprise_id, member.driver_id, month), consistent=consistent
    )
    return 0 if usage is None else usage.used
