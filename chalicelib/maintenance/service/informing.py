"""What chargers remember of customers, told on request. Data of people: it expires after 30 days."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance.model.customers import MAX_PART, MAX_SEQ_NO, CustomerInformation, InformationPart, assemble
from chalicelib.maintenance.store import INFORMATION_PARTS, InformationPartRow, charger_pk, information_prefix, part_key


def report_customer_information(
    uow: UnitOfWork, charger: Charger, request_id: int, data: str, seq_no: int, last: bool
) -> None:
    """A part of NotifyCustomerInformation: one row by its number, so that a repeat changes nothing. Parts above
    MAX_SEQ_NO are not kept."""
    if not 0 <= seq_no <= MAX_SEQ_NO:
        return
    part = InformationPart(
        charger_id=charger.charger_id,
        operator_id=charger.operator_id,
        request_id=request_id,
        seq_no=seq_no,
        data=data[:MAX_PART],
        last=last,
        received_at=uow.ctx.now(),
    )
    known = INFORMATION_PARTS.get(uow.ctx, *part_key(part))
    if known is not None and (known.data, known.last) == (part.data, part.last):
        return
    uow.put(INFORMATION_PARTS, part, name="customer information")
    if last or seq_no == 0:
        chargers.follow_report(uow, charger.charger_id, request_id, seq_no + 1, is_last=last)


def get_customer_information(
    ctx: Context, charger_id: str, request_id: int, *, operator_id: str | None = None
) -> CustomerInformation:
    """All parts of a request in order; of this operator alone, if named: what was told to another one, before the
    charger changed hands, stays there. Raises customer_information.not_found."""
    parts = INFORMATION_PARTS.query_all(
        ctx, charger_pk(charger_id), InformationPartRow.sk.startswith(information_prefix(request_id)), consistent=True
    )
    whole = assemble(part for part in parts if operator_id in (None, part.operator_id))
    if whole is None:
        raise not_found("customer_information", str(request_id))
    return whole
