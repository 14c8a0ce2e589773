"""Renewals: before an installed certificate ends, its charger is asked to ask for a new one.

Each certificate has one row under the day on which the charger is asked next; the job of that day asks and puts the row
under the next one. A charger that renews in time makes its own end of it: what is superseded is asked for no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance.model.certificates import IssuedCertificate, Renewal, next_renewal_on
from chalicelib.maintenance.service.journal import record_event
from chalicelib.maintenance.store import (
    CERTIFICATE_REQUESTS,
    RENEWALS,
    RenewalRow,
    renewal_key,
    renewals_pk,
    request_key,
)

INTENT: Final = "renew_certificate"
PLATFORM: Final = "platform"
"""Who asks: nobody else did."""
LOOK_BACK_DAYS: Final = 7
"""Days on which the job did not run, or could not ask, are made up for."""


def plan_renewal(uow: UnitOfWork, issued: IssuedCertificate, after: date) -> None:
    """Puts the certificate under the next day on which its charger is asked, if there is one."""
    due_on = next_renewal_on(issued.valid_until.date(), after)
    if due_on is not None:
        renewal = Renewal(due_on.isoformat(), issued.serial_number, issued.charger_id, issued.certificate_id)
        uow.put(RENEWALS, renewal, name="renewal")


def due_renewals(ctx: Context) -> Iterator[Renewal]:
    """Those of today and of the last days, oldest first."""
    today = ctx.now().date()
    for days in range(LOOK_BACK_DAYS, -1, -1):
        day = (today - timedelta(days=days)).isoformat()
        yield from RENEWALS.query_all(ctx, renewals_pk(day), RenewalRow.sk.startswith("serial#"), consistent=True)


def ask_for_renewal(uow: UnitOfWork, renewal: Renewal) -> bool:
    """Asks the charger, tells the journal, and plans the next time. False: not wanted any more.

    Raises command.queue_full: another day.
    """
    now = uow.ctx.now()
    uow.delete(RENEWALS, renewal_key(renewal), condition=RenewalRow.pk.exists(), name="renewal")
    request = CERTIFICATE_REQUESTS.get(uow.ctx, *request_key(renewal.charger_id, renewal.certificate_id))
    charger = chargers.get_charger(uow.ctx, renewal.charger_id)
    if request is None or charger is None or request.state != "installed" or request.valid_until is None:
        return False
    if request.valid_until <= now:
        return False
    due_on = next_renewal_on(request.valid_until.date(), now.date())
    if due_on is not None:
        again = Renewal(due_on.isoformat(), renewal.serial_number, renewal.charger_id, renewal.certificate_id)
        uow.put(RENEWALS, again, name="renewal")
    chargers.queue_command(
        uow,
        charger_id=request.charger_id,
        action=INTENT,
        payload={"kind": request.kind},
        requested_by=PLATFORM,
    )
    record_event(
        uow,
        charger,
        kind="certificate",
        at=now,
        summary=f"Certificate ends at {to_rfc3339(request.valid_until)}: the charger is asked for a new request",
        data={"certificate_id": request.certificate_id, "serial_number": renewal.serial_number},
        severity="warning",
    )
    return True
