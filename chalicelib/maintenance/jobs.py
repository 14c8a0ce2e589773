"""What goes on when no frame does: a certificate is signed or comes to its end, a local list has its next page,
other cards are to be known.

Consumers are called at least once, the job may run twice: each reads how things stand and does only what is due.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from chalice import Blueprint, Cron, Rate

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.maintenance import service
from chalicelib.maintenance.model import Composition
from chalicelib.maintenance.model.offline_cards import AFTER_OFFLINE
from chalicelib.maintenance.pki.port import PkiRefused, PkiUnavailable

jobs = Blueprint(__name__)

_CHARGERS_PER_EVENT: Final = 25


@jobs.schedule(Cron("40", "3", "*", "*", "?", "*"), name="renew-certificates")
@task.entry
def renew_certificates(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Asks chargers whose certificates end soon for new requests. One charger's trouble does not stop the others."""
    asked = failed = 0
    for renewal in service.due_renewals(ctx):
        try:
            asked += decide_and_commit(ctx, partial(service.ask_for_renewal, renewal=renewal))
        except Exception:
            failed += 1
            logger.exception("certificate not renewed", extra={"charger_id": renewal.charger_id})
    return {"asked": asked, "failed": failed}


def on_certificate_requested(ctx: Context, event: Event) -> None:
    """Has the request signed, between two commits, and queues the certificate for the charger.

    A crash after signing has it signed again: what was not recorded is trusted by nobody's books. A full queue of
    commands raises, and the event comes again.
    """
    charger_id, certificate_id = event.payload["charger_id"], event.subject
    request = service.find_certificate_request(ctx, charger_id, certificate_id)
    if request is None:
        return
    if request.state == "requested":
        try:
            signed = service.configured_authority(ctx).sign(request.csr_pem, request.kind, request.charger_id)
        except (PkiRefused, PkiUnavailable) as refusal:
            refuse = partial(
                service.record_refused,
                charger_id=charger_id,
                certificate_id=certificate_id,
                reason=refusal.detail,
            )
            decide_and_commit(ctx, refuse)
            return
        record = partial(service.record_issued, charger_id=charger_id, certificate_id=certificate_id, signed=signed)
        decide_and_commit(ctx, record)
    decide_and_commit(ctx, partial(service.deliver_certificate, charger_id=charger_id, certificate_id=certificate_id))


def on_local_list_advanced(ctx: Context, event: Event) -> None:
    """A page was accepted, or all has to be sent again: queues the page that is due."""
    decide_and_commit(ctx, partial(service.send_next_page, charger_id=event.payload["charger_id"]))


# -- cards that chargers know by themselves -----------------------------------------------------------------------


@jobs.schedule(Rate(1, unit=Rate.MINUTES), name="local-lists")
@task.entry
def begin_local_lists(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Has those chargers told whose cards have changed, when it has been quiet for a while."""
    begun = failed = 0
    for due in service.due_lists(ctx):
        try:
            begin = partial(service.begin_round, operator_id=due.operator_id, charger_id=due.charger_id)
            begun += decide_and_commit(ctx, begin)
        except Exception:
            failed += 1
            logger.exception("local lists not begun", extra={"operator_id": due.operator_id})
    if failed:
        # The others have begun; that some have not must wake somebody.
        raise RuntimeError(f"local lists not begun for {failed}")
    return {"begun": begun}


@jobs.schedule(Cron("25", "2", "*", "*", "?", "*"), name="refresh-local-lists")
@task.entry
def refresh_local_lists(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Each night all operators' chargers are looked at: wallets were filled and emptied, chargers came back without a
    boot or were moved. What is as it should be costs a read."""
    marked = 0
    for operator in identity.list_operators(ctx):
        decide_and_commit(ctx, partial(service.mark_changed, operator_id=operator.organization_id))
        marked += 1
    return {"marked": marked}


def on_id_tokens_changed(ctx: Context, event: Event) -> None:
    """`{operator_id}` or `{driver_id}`: cards of the operator's chargers, or a driver's wherever he or she charges."""
    driver_id = event.payload.get("driver_id")
    concerned = [event.payload["operator_id"]] if driver_id is None else drivers.operators_concerned(ctx, driver_id)
    for operator_id in concerned:
        decide_and_commit(ctx, partial(service.mark_changed, operator_id=operator_id))


def on_charger_booted(ctx: Context, event: Event) -> None:
    """`{charger_id}`: what it missed while it was away is due soon."""
    charger = chargers.get_charger(ctx, event.payload["charger_id"])
    if charger is not None:
        decide_and_commit(ctx, partial(service.mark_booted, charger=charger))


def on_local_lists_due(ctx: Context, event: Event) -> None:
    """`{operator_id, charger_id?, cursor?}`: one charger, or a page of the operator's chargers, is told what differs.

    The cards are composed for the first page; the next ones come with an event each, so that no delivery takes long.
    """
    operator_id, charger_id = event.payload["operator_id"], event.payload.get("charger_id")
    cursor = event.payload.get("cursor")
    if not service.get_local_list_policy(ctx, operator_id).enabled or not service.is_composed_for(ctx, operator_id):
        return
    if charger_id is not None:
        charger = chargers.get_charger(ctx, charger_id)
        if charger is not None:
            _tell(ctx, charger, service.recent_composition(ctx, charger.operator_id))
        return
    compose = service.new_composition if cursor is None else service.recent_composition
    composition = compose(ctx, operator_id)
    page = chargers.chargers_page(ctx, operator_id, limit=_CHARGERS_PER_EVENT, cursor=cursor)
    for charger in page.data:
        _tell(ctx, charger, composition)
    if page.next_cursor is not None:
        decide_and_commit(ctx, partial(service.continue_round, operator_id=operator_id, cursor=page.next_cursor))


def _tell(ctx: Context, charger: Charger, composition: Composition) -> None:
    """One charger's trouble (a full queue) does not keep the others waiting; it has its turn later."""
    try:
        decide_and_commit(ctx, partial(service.synchronize_automatically, charger=charger, composition=composition))
    except DomainError:
        logger.exception("local list not sent", extra={"charger_id": charger.charger_id})
        decide_and_commit(ctx, partial(service.mark_charger_due, charger=charger, after=AFTER_OFFLINE))
