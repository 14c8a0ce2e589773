"""Numbers of documents: one series per organisation, kind of document and year, from 1 and without gaps."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.settlement.model.invoices import InvoiceNumber, Series, number_text
from chalicelib.settlement.store.common import operator_pk
from chalicelib.settlement.store.invoices import INVOICE_NUMBERS, InvoiceNumberRow, number_sk


def next_number(uow: UnitOfWork, issuer: Organization, series: Series, issue_date: str) -> str:
    """The next number of the issuer's series of the year, `issue_date` as the issuer lives it. Number and document land
    together: none is lost, none is given out twice. The issuer's prefix is of what others get from it."""
    year = issue_date[:4]
    organization_id = issuer.organization_id
    known = INVOICE_NUMBERS.get(uow.ctx, operator_pk(organization_id), number_sk(year, series))
    given = InvoiceNumber(organization_id, year, 1, series) if known is None else replace(known, last=known.last + 1)
    if known is None:
        uow.create(INVOICE_NUMBERS, given)
    else:
        unchanged = InvoiceNumberRow.last == known.last
        uow.put(INVOICE_NUMBERS, given, condition=unchanged, on_conflict=StaleRead("The number"))
    prefix = "" if series == "withdrawal" else identity.invoicing_of(uow.ctx, issuer).prefix
    return prefix + number_text(year, given.last, series)
