"""The money of the demo: packages to top up with, what the platform takes of the operator's income, whose invoices and
bank account."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Final

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID, Organization
from chalicelib.identity.model.settings import Invoicing
from chalicelib.identity.service import settings
from chalicelib.kernel.context import Context
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger.model import business_day
from chalicelib.settlement import service as settlement
from chalicelib.settlement.model import Terms
from chalicelib.wallets import service as wallets
from chalicelib.wallets.model import TopUpPackage

PACKAGES: Final = (("Ten", 1000, 0), ("Twenty and two on top", 2000, 200), ("Fifty and seven on top", 5000, 700))
"""Name, amount and bonus in minor units."""
INVOICING: Final = Invoicing(
    legal_name="Northwind Charging GmbH",
    tax_number="DE123456788",
    address="Am Kai 12",
    city="Hamburg",
    postal_code="20457",
    country="DE",
)
BANK_ACCOUNT: Final = identity.NewBankAccount("Northwind Charging GmbH", "DE89370400440532013000", "COBADEFF")
"""The number that standards show an IBAN by."""


def fill(ctx: Context, operator: Organization) -> None:
    """Makes what is missing, each thing in a commit of its own."""
    page = wallets.list_packages(ctx, operator.organization_id, state=None, limit=100, cursor=None)
    known = {package.package_id for package in page.data}
    for number, (name, amount, bonus) in enumerate(PACKAGES):
        package_id = derived_id("tpk", operator.created_at, operator.organization_id, str(number))
        if package_id not in known:
            package = TopUpPackage(
                package_id=package_id,
                owner_id=operator.organization_id,
                name=name,
                amount=Money(amount, operator.currency),
                bonus=Money(bonus, operator.currency) if bonus else None,
                sort_order=number,
                state="on",
                created_at=ctx.now(),
            )
            decide_and_commit(ctx, partial(wallets.create_package, package=package))
    if not list(settlement.contracts_of(ctx, operator.organization_id)):
        decide_and_commit(ctx, lambda uow: _contract(uow, operator))
    said = settings.get_setting(ctx, operator.organization_id, "invoicing")
    if not said.revision:
        decide_and_commit(ctx, lambda uow: settings.put_setting(uow, operator, said, INVOICING, None))


def _contract(uow: UnitOfWork, operator: Organization) -> None:
    """Five percent of the net and 0.25 per card payment, with German tax on top, from today on."""
    terms = Terms(
        valid_from=business_day(uow.ctx.now(), operator.time_zone),
        percent=Decimal(5),
        percent_of="net",
        per_card_payment=25,
        vat_percent=Decimal(19),
    )
    settlement.make_contract(
        uow, operator, beneficiary_id=PLATFORM_ID, kind="commission", currency=operator.currency, terms=terms
    )
