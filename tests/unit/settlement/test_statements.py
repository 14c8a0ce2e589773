"""What a line of a statement is made of: payers, parts of others, and days that are settled in pieces."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import CdrTotals
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.money import Money
from chalicelib.settlement.model import (
    Basis,
    Booked,
    Contract,
    ContractKind,
    Line,
    Terms,
    added,
    amount_of,
    disagreement,
    rest_of,
    statement_of,
    sum_cdrs,
)

DAY = "2026-03-02"


def cdr(amount: int, *, tax: int = 0, energy_wh: int = 1000, **fields: Any) -> CdrTotals:
    money = Money(amount, "EUR")
    totals = CdrTotals("cdr_1", "ses_1", energy_wh, money, money, Money(0, "EUR"), captured_tax=Money(tax, "EUR"))
    return replace(totals, **fields)


def contract(beneficiary_id: str, kind: ContractKind = "commission", currency: str = "EUR", **terms: Any) -> Contract:
    agreed = Terms("2026-01-01", **terms)
    made_at = datetime(2026, 1, 1, tzinfo=UTC)
    return Contract("org_op", beneficiary_id, kind, currency, made_at, [agreed])


def line_of(cdrs: list[CdrTotals], *contracts: Contract) -> Line:
    [line] = statement_of(sum_cdrs(cdrs), DAY, contracts=contracts)
    return line


@pytest.mark.parametrize(
    ("terms", "amount", "fee", "vat"),
    [
        ({"percent": Decimal("10")}, 119, 0, 0),
        ({"percent": Decimal("10"), "percent_of": "net"}, 100, 0, 0),
        ({"percent": Decimal("10"), "percent_of": "net", "vat_percent": Decimal(19)}, 100, 0, 19),
        ({"per_session": 5}, 10, 0, 0),
        ({"per_kwh": Decimal("0.0149")}, 4, 0, 0),  # of 3 kWh: 4.47 cents
        ({"per_kwh": Decimal("0.0149"), "percent": Decimal("0.01")}, 5, 0, 0),  # 4.47 + 0.119, rounded once
        ({"per_card_payment": 25, "vat_percent": Decimal(20)}, 0, 25, 5),
        ({"percent": Decimal("0.0421")}, 1, 0, 0),  # 0.50099 cents
        ({"percent": Decimal("0.0420")}, 0, 0, 0),  # 0.4998
    ],
)
def test_terms_in_numbers(terms: dict[str, Any], amount: int, fee: int, vat: int) -> None:
    basis = Basis(sessions=2, energy_wh=3000, gross=1190, tax=190, card_payments=1)
    part = amount_of(Terms(DAY, **terms), basis, "EUR")
    assert (part.amount, part.fee, part.vat) == (amount, fee, vat)


@given(st.integers(0, 10**9), st.integers(0, 10**7), st.decimals(0, 100, places=4), st.decimals(0, 1, places=6))
def test_a_day_taken_back_is_the_day_with_another_sign(
    gross: int, energy_wh: int, percent: Decimal, per_kwh: Decimal
) -> None:
    terms = Terms(DAY, percent=percent, per_kwh=per_kwh, vat_percent=Decimal(19))
    forth = amount_of(terms, Basis(1, energy_wh, gross, 0, 0), "EUR")
    back = amount_of(terms, Basis(-1, -energy_wh, -gross, 0, 0), "EUR")
    assert (back.amount, back.vat) == (-forth.amount, -forth.vat)


def test_each_payer_has_its_part() -> None:
    line = line_of([cdr(100), cdr(200, payment_id="pay_1"), cdr(400, enterprise_id="epr_1")])
    assert (line.gross, line.wallets, line.cards, line.invoiced, line.card_payments) == (700, 100, 200, 400, 1)
    assert line.net == 300


def test_a_credit_counts_as_less() -> None:
    sale = cdr(200, tax=32, payment_id="pay_1")
    credit = cdr(-200, tax=-32, energy_wh=-1000, payment_id="pay_1", credit_reference_id="cdr_1")
    line = line_of([sale, credit, cdr(150, payment_id="pay_1")], contract("org_up", per_session=10))
    assert (line.sessions, line.energy_wh, line.gross, line.tax, line.card_payments) == (1, 1000, 150, 0, 1)
    assert line.commission == 10


def test_a_commission_is_of_all_and_a_share_of_the_agencys_places() -> None:
    line = line_of(
        [cdr(1000, agency_id="org_a"), cdr(500, agency_id="org_b"), cdr(300)],
        contract("org_up", percent=Decimal(10), vat_percent=Decimal(20)),
        contract("org_a", "agency_share", percent=Decimal(50)),
    )
    assert (line.commission, line.commission_tax, line.shares) == (180, 36, 500)
    assert line.net == 1800 - 180 - 36 - 500
    parts = {part.beneficiary_id: (part.sessions, part.gross, part.total) for part in line.deductions}
    assert parts == {"org_up": (3, 1800, 216), "org_a": (1, 1000, 500), "org_b": (1, 500, 0)}


def test_a_contract_is_of_its_currency_and_its_days() -> None:
    over = contract("org_up", percent=Decimal(10))
    ended = replace(over, terms=[replace(over.terms[0], valid_to="2026-03-01")])
    assert line_of([cdr(100)], contract("org_up", currency="NOK", percent=Decimal(10))).deductions == []
    assert line_of([cdr(100)], ended).deductions == []
    assert line_of([cdr(100)], over).commission == 10


amounts = st.lists(
    st.tuples(st.integers(-(10**6), 10**6), st.sampled_from(["a", "b", ""]), st.integers(0, 5000)), max_size=8
)


@given(amounts, amounts, st.decimals(0, 40, places=3))
def test_a_day_in_pieces_sums_to_the_day(
    first: list[tuple[int, str, int]], late: list[tuple[int, str, int]], percent: Decimal
) -> None:
    contracts = [
        contract("org_up", percent=percent, vat_percent=Decimal(19)),
        contract("a", "agency_share", per_session=3),
    ]

    def statement(sold: list[tuple[int, str, int]]) -> list[Line]:
        cdrs = [replace(cdr(amount, energy_wh=wh), agency_id=who or None) for amount, who, wh in sold]
        return statement_of(sum_cdrs(cdrs), DAY, contracts=contracts)

    settled, whole = statement(first), statement(first + late)
    supplement = rest_of(whole, settled)
    assert rest_of(whole, [*settled, *supplement]) == []
    [total] = added([*settled, *supplement]) or [Line("EUR")]
    [expected] = whole or [Line("EUR")]
    assert (total.net, total.gross, total.commission, total.shares) == (
        expected.net,
        expected.gross,
        expected.commission,
        expected.shares,
    )
    for line in supplement:
        assert line.net == line.gross - line.invoiced - line.deducted - line.cash - line.promotions


@pytest.mark.parametrize("kind", ["income", "invoiced", "cash", "cards", "promotions"])
def test_every_kind_of_money_must_agree(kind: str) -> None:
    [line] = statement_of(
        sum_cdrs([cdr(100), cdr(200, payment_id="pay_1"), cdr(400, enterprise_id="epr_1")]),
        DAY,
        cash={"EUR": 30},
        promotions={"EUR": 20},
    )
    said = {"income": 700, "invoiced": 400, "cash": 30, "cards": 200, "promotions": 20}
    assert disagreement([line], Booked(**{name: {"EUR": amount} for name, amount in said.items()})) is None
    wrong = said | {kind: said[kind] + 1}
    assert disagreement([line], Booked(**{name: {"EUR": amount} for name, amount in wrong.items()}))


def test_memory_does_not_grow_with_sessions() -> None:
    """CDRs pass one by one; what is kept is per currency and agency."""
    tracemalloc.start()
    try:
        kept = sum_cdrs(cdr(1, agency_id=f"org_{number % 3}") for number in range(20_000))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert kept["EUR"].gross == 20_000
    assert len(kept["EUR"].agencies) == 3


@pytest.mark.parametrize(("terms", "given"), [({"per_session": 10**9}, 100), ({"per_kwh": Decimal(999)}, 100), ({}, 0)])
def test_nobody_but_the_platform_gets_more_than_was_sold(terms: dict[str, Any], given: int) -> None:
    line = line_of([cdr(100)], contract("org_up", vat_percent=Decimal(19), **terms))
    assert (sum(deduction.total for deduction in line.deductions), line.net) == (given, 100 - given)


def test_a_day_that_was_taken_back_is_the_mirror_also_where_it_is_capped() -> None:
    sale = cdr(100)
    credit = replace(sale, cdr_id="cdr_1-C1", captured=-sale.captured, credit_reference_id=sale.cdr_id)
    forth = line_of([sale], contract("org_up", per_session=10**9, vat_percent=Decimal(19)))
    back = line_of([credit], contract("org_up", per_session=10**9, vat_percent=Decimal(19)))
    assert [deduction.total for deduction in forth.deductions] == [100]
    assert [deduction.total for deduction in back.deductions] == [-100]


def test_contracts_together_give_no_more_than_was_sold() -> None:
    """Three with a fee per session: each alone may have all of a day, together they have all of it once."""
    line = line_of([cdr(1000)], *(contract(f"org_{n}", per_session=10**9) for n in range(3)))
    assert sorted(deduction.total for deduction in line.deductions) == [333, 333, 334]
    assert line.net == 0


def test_many_small_percentages_are_not_rounded_to_more_than_was_sold() -> None:
    line = line_of([cdr(5)], *(contract(f"org_{n}", percent=Decimal(10)) for n in range(10)))
    assert sum(deduction.total for deduction in line.deductions) == 5
    assert {deduction.total for deduction in line.deductions} == {0, 1}


def test_what_is_cut_states_the_tax_of_its_rate() -> None:
    """What it is billed by must add up: 119 with 19 percent in it, not 119 without any."""
    line = line_of(
        [cdr(119, payment_id="pay_1")],
        contract("org_up", per_session=300, per_card_payment=100, vat_percent=Decimal(19)),
    )
    [given_] = line.deductions
    assert (given_.amount, given_.fee, given_.vat) == (75, 25, 19)


def test_an_agency_gets_no_more_than_was_sold_at_its_places() -> None:
    line = line_of([cdr(1000), cdr(100, agency_id="org_a")], contract("org_a", "agency_share", per_session=10**9))
    assert [deduction.total for deduction in line.deductions] == [100]


days = st.lists(
    st.builds(
        lambda amount, agency_id, card, back: cdr(
            -amount if back else amount,
            agency_id=agency_id,
            payment_id="pay_1" if card else None,
            energy_wh=-1000 if back else 1000,
            credit_reference_id="cdr_0" if back else None,
        ),
        st.integers(0, 500),
        st.sampled_from([None, "org_a", "org_b"]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
agreements = st.lists(
    st.builds(
        lambda who, **terms: contract(who, "agency_share" if who in ("org_a", "org_b") else "commission", **terms),
        st.sampled_from([PLATFORM_ID, "org_a", "org_b", "org_c", "org_d", "org_e"]),
        percent=st.decimals(0, 100, places=2),
        per_session=st.integers(0, 300),
        per_card_payment=st.integers(0, 300),
        vat_percent=st.sampled_from([Decimal(0), Decimal(19)]),
    ),
    unique_by=lambda agreed: agreed.beneficiary_id,
    max_size=6,
)


@given(days, agreements)
def test_the_law_of_what_is_given(cdrs: list[CdrTotals], contracts: list[Contract]) -> None:
    """Where anything was sold, what is left of it is below nothing by the platform's own terms alone; a day on which
    more was taken back than sold is the mirror."""
    line = line_of(cdrs, *contracts)
    others = [deduction for deduction in line.deductions if deduction.beneficiary_id != PLATFORM_ID]
    own = line.deducted - sum(deduction.total for deduction in others)
    given_ = sum(deduction.total for deduction in others)
    if line.gross >= 0:
        assert 0 <= given_ <= line.gross
        assert line.gross - line.deducted >= min(0, line.gross - own)
    else:
        assert line.gross <= given_ <= 0
        assert line.gross - line.deducted <= max(0, line.gross - own)
    for deduction in others:
        assert min(0, deduction.gross) <= deduction.total <= max(0, deduction.gross)
        percent = Decimal(0) if deduction.terms is None else deduction.terms.vat_percent
        assert abs(deduction.vat - (deduction.amount + deduction.fee) * percent / 100) < 1


def test_a_card_that_paid_nothing_pays_no_fee() -> None:
    """Let go without a capture, or written off: the contract asks per card payment."""
    nothing = Money(0, "EUR")
    free = cdr(0, payment_id="pay_1")
    assert sum_cdrs([free])["EUR"].card_payments == 0
    sale = cdr(500, payment_id="pay_1")
    credit = replace(sale, cdr_id="cdr_1-C1", captured=-sale.captured, credit_reference_id=sale.cdr_id)
    written_off = replace(sale, cdr_id="cdr_1-2", captured=nothing, uncollected=sale.captured)
    assert sum_cdrs([sale, credit, written_off])["EUR"].card_payments == 0
    lowered = replace(sale, cdr_id="cdr_1-2", captured=Money(200, "EUR"))
    assert sum_cdrs([sale, credit, lowered])["EUR"].card_payments == 1
    assert sum_cdrs([credit])["EUR"].card_payments == -1


def test_the_platform_asks_its_fee_also_for_what_was_free() -> None:
    line = line_of([cdr(0)], contract(PLATFORM_ID, per_session=25))
    assert line.net == -25
