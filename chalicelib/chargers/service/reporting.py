"""What chargers say about themselves: their boot and the status of their EVSEs. One cheap write each."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pynamodb.expressions.update import Action

from chalicelib.chargers.model import MAX_REPORTED_CONNECTOR_NO, MAX_REPORTED_EVSE_NO, Charger, Evse
from chalicelib.chargers.store.places import CHARGERS, ChargerRow, charger_row_key, status_write
from chalicelib.kernel import outbox
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.unit_of_work import UnitOfWork

_MAX_TEXT = 255


def record_boot(
    uow: UnitOfWork,
    charger: Charger,
    *,
    vendor: str,
    model: str,
    firmware_version: str | None = None,
    serial_number: str | None = None,
    iccid: str | None = None,
    imsi: str | None = None,
) -> None:
    """Keeps what BootNotification says. The serial number is kept beside the registered one, never over it.

    A charger that is accepted has its configuration looked at (event `charger.booted`).
    """
    # Vendor and model must be there: a boot without them (firmware that lost its settings) is the same charger still.
    known = [(column, text) for column, text in ((ChargerRow.vendor, vendor), (ChargerRow.model, model)) if text]
    said = (
        *known,
        (ChargerRow.firmware_version, firmware_version),
        (ChargerRow.reported_serial_number, serial_number),
        (ChargerRow.iccid, iccid),
        (ChargerRow.imsi, imsi),
    )
    actions: list[Action] = [column.set(text[:_MAX_TEXT]) if text else column.remove() for column, text in said]
    uow.update(
        CHARGERS,
        charger_row_key(charger.charger_id),
        [*actions, ChargerRow.booted_at.set(uow.ctx.now())],
        condition=ChargerRow.pk.exists(),
        name="charger boot",
    )
    if charger.is_placed:
        outbox.emit(uow, "charger.booted", charger.charger_id, {"charger_id": charger.charger_id})


def record_status(
    uow: UnitOfWork,
    charger_id: str,
    evse_no: int,
    status: str,
    error_code: str,
    info: str | None = None,
    at: datetime | None = None,
    vendor_error_code: str | None = None,
    *,
    connector_no: int | None = None,
) -> None:
    """Keeps the latest report of an EVSE (0 = the charger itself), in the charger's words; `at` is its clock.

    The last report received wins: chargers' clocks lie more often than their queues reorder. Raises evse.invalid
    for numbers above MAX_REPORTED_EVSE_NO. A connector beyond the first of its EVSE is kept beside it, too.
    """
    if not 0 <= evse_no <= MAX_REPORTED_EVSE_NO:
        raise invalid("evse.invalid", f"{evse_no} is not the number of an EVSE.")
    evse = Evse(
        charger_id=charger_id,
        evse_no=evse_no,
        status=status[:_MAX_TEXT],
        error_code=error_code[:_MAX_TEXT],
        info=(info or "")[:_MAX_TEXT],
        vendor_error_code=(vendor_error_code or "")[:_MAX_TEXT],
        reported_at=at,
        received_at=uow.ctx.now(),
    )
    uow.writes.append(status_write(evse))
    if connector_no is not None and 1 < connector_no <= MAX_REPORTED_CONNECTOR_NO:
        uow.writes.append(status_write(replace(evse, connector_no=connector_no)))
