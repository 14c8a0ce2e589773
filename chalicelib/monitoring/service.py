"""Use cases of monitoring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Link, charger_key
from chalicelib.identity import service as identity
from chalicelib.identity.model import check_email
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, invalid
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.monitoring.model import OfflineNotification, Outage, check_timeout, compare
from chalicelib.monitoring.store import OPEN_OUTAGES, PAST_OUTAGES, RULES, OutageRow, operator_pk
from chalicelib.notifications import service as notifications


def offline_rule(ctx: Context, operator_id: str) -> OfflineNotification:
    """The operator's rule, or the default one: on, 15 minutes, all chargers, the operator's own address."""
    known = RULES.get(ctx, operator_pk(operator_id), "offline_notification")
    return known or OfflineNotification(operator_id)


def set_offline_rule(uow: UnitOfWork, rule: OfflineNotification) -> OfflineNotification:
    """Raises offline_notification.timeout, email.invalid, charger.unknown: a rule that could never tell anything."""
    check_timeout(rule.timeout_min)
    if rule.email is not None:
        check_email(rule.email)
    for number, charger_id in enumerate(rule.charger_ids or ()):
        charger = chargers.get_charger(uow.ctx, charger_id)
        if charger is None or charger.operator_id != rule.operator_id:
            raise invalid("charger.unknown", f"There is no charger {charger_id!r}.", f"/charger_ids/{number}")
    uow.put(RULES, rule)
    return rule


def open_outages(ctx: Context, operator_id: str) -> dict[str, Outage]:
    """Outages that were told and are not over, by charger key."""
    page = OPEN_OUTAGES.query_all(ctx, operator_pk(operator_id), OutageRow.sk.startswith("outage#"), consistent=True)
    return {charger_key(outage.charger_id): outage for outage in page}


def list_outages(
    ctx: Context, operator_id: str, *, keep: Callable[[Outage], bool], limit: int, cursor: str | None
) -> Page[Outage]:
    """Outages that were told and are not over, by charger key."""
    steps = OPEN_OUTAGES.walk(ctx, operator_pk(operator_id), OutageRow.sk.startswith("outage#"), cursor=cursor)
    return page_of(steps, limit, keep)


def tell_changes(ctx: Context, operator_id: str, links: list[Link]) -> int:
    """Tells one operator what fell silent and what came back: one commit and one e-mail each. Returns how many.

    Two runs at once tell a change once: the outage row is made, and removed, on condition.
    """
    rule = offline_rule(ctx, operator_id)
    changes = compare(rule, links, open_outages(ctx, operator_id), ctx.now())
    if not changes.begun and not changes.ended:
        return 0
    recipient = rule.email or identity.get_organization(ctx, operator_id).email
    told = 0
    for outage in changes.begun:
        told += _tell(ctx, outage, recipient)
    for outage in changes.ended:
        told += _tell(ctx, outage, recipient)
    return told


def _tell(ctx: Context, outage: Outage, recipient: str | None) -> int:
    uow = UnitOfWork(ctx)
    over = outage.recovered_at is not None
    if over:
        as_open = replace(outage, recovered_at=None)
        key = (operator_pk(outage.operator_id), f"outage#{charger_key(outage.charger_id)}")
        uow.delete(OPEN_OUTAGES, key, condition=OutageRow.since == as_open.since)
        uow.put(PAST_OUTAGES, outage)
    else:
        uow.create(OPEN_OUTAGES, outage)
    if recipient:
        notifications.queue_mail(
            uow,
            dedupe_key=f"{'online' if over else 'offline'}:{charger_key(outage.charger_id)}:{to_rfc3339(outage.since)}",
            to=recipient,
            template="charger_online" if over else "charger_offline",
            data={
                "charger": outage.charger_id,
                "since": to_rfc3339(outage.since),
                "at": to_rfc3339(outage.recovered_at or outage.alerted_at),
            },
        )
    try:
        uow.commit()
    except StaleRead:
        return 0  # another run told it
    return 1
