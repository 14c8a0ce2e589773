"""What goes on when no frame does: a certificate is signed or comes to its end, a local list has its next page.

Consumers are called at least once, the job may run twice: each reads how things stand and does only what is due.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from chalice import Blueprint, Cron

from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.maintenance import service
from chalicelib.maintenance.pki.port import PkiRefused, PkiUnavailable

jobs = Blueprint(__name__)


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
