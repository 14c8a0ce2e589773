"""Whatever a day brought: the statement is the ledger, and everybody's part adds up to what came in, once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel import context
from chalicelib.ledger import proving
from chalicelib.settlement import service
from tests import world as worlds
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.settling import Books, open_books, totals_by_class

DAY = "2026-03-02"
AGENCIES = ("org_agency_a", "org_agency_b", None)
CURRENCIES = ("EUR", "JPY")


@dataclass(frozen=True)
class Sale:
    amount: int
    payer: Any
    currency: str
    tax_percent: int
    agency_id: str | None
    taken_back: bool


sales = st.lists(
    st.builds(
        Sale,
        st.integers(0, 10**6),
        st.sampled_from(["wallet", "card", "enterprise"]),
        st.sampled_from(CURRENCIES),
        st.sampled_from([0, 7, 19]),
        st.sampled_from(AGENCIES),
        st.booleans(),
    ),
    max_size=12,
)
moves = st.dictionaries(st.sampled_from([*CURRENCIES, "NOK"]), st.integers(1, 10**6), max_size=3)
terms = st.fixed_dictionaries(
    {
        "percent": st.decimals(0, 30, places=2),
        "percent_of": st.sampled_from(["gross", "net"]),
        "per_session": st.integers(0, 50),
        "per_kwh": st.decimals(0, 1, places=4),
        "per_card_payment": st.integers(0, 50),
        "vat_percent": st.sampled_from([Decimal(0), Decimal("19")]),
    }
)


def bring(books: Books, day_sales: list[Sale], cash: dict[str, int], bonuses: dict[str, int]) -> None:
    for currency in ("JPY", "NOK"):
        books.fill(currency)
    for sale in day_sales:
        cdr = books.sell(
            sale.amount,
            sale.payer,
            currency=sale.currency,
            tax=sale.amount * sale.tax_percent // (100 + sale.tax_percent),
            agency_id=sale.agency_id,
        )
        if sale.taken_back:
            books.take_back(cdr)
    for currency, amount in cash.items():
        books.take_cash(amount, currency=currency)
    for currency, amount in bonuses.items():
        books.promise(amount, currency=currency)


@settings(max_examples=20, deadline=None)
@given(sales, moves, moves, terms, terms, st.integers(1, 3))
def test_what_everybody_gets_adds_up_to_what_came_in(
    day_sales: list[Sale],
    cash: dict[str, int],
    bonuses: dict[str, int],
    commission: dict[str, Any],
    share: dict[str, Any],
    times: int,
) -> None:
    world = worlds.build()
    try:
        books = open_books(world)
        books.agree(PLATFORM_ID, **commission)
        books.agree("org_agency_a", **share)
        bring(books, day_sales, cash, bonuses)
        books.sleep()
        for _ in range(times):
            assert books.settle(DAY)["state"] == "posted"
        check_shares(books, cash, bonuses)
    finally:
        world.close()


def check_shares(books: Books, cash: dict[str, int], bonuses: dict[str, int]) -> None:
    run = service.find_run(books.world.ctx, books.operator_id, DAY)
    assert run is not None
    totals = totals_by_class(books.world)
    for currency in (*CURRENCIES, "NOK"):
        sold = [cdr for cdr in books.sold if cdr.captured.currency == currency]
        gross = sum(cdr.captured.amount for cdr in sold)
        invoiced = sum(cdr.captured.amount for cdr in sold if cdr.enterprise_id)
        expected = gross - invoiced - cash.get(currency, 0) - bonuses.get(currency, 0)
        assert totals.get(("payable", currency), 0) == expected
        assert totals.get(("receivable", currency), 0) == invoiced
        assert all(totals.get((name, currency), 0) == 0 for name in ("income", "cash", "promotion"))
        line = next((line for line in run.lines if line.currency == currency), None)
        assert (line.net if line else 0) == books.owed(currency=currency)
        parts = sum(books.owed(who, currency) for who in (PLATFORM_ID, "org_agency_a", "org_agency_b"))
        assert parts == (line.deducted if line else 0)
    proof = proving.prove_ledger(books.world.ctx)
    assert [fault for fault in proof.faults if fault.code != "hold_forgotten"] == []


@settings(max_examples=12, deadline=None)
@given(sales, sales, terms, st.permutations([0, 1, 2]))
def test_what_comes_late_is_settled_as_if_it_had_been_there(
    early: list[Sale], late: list[Sale], commission: dict[str, Any], order: list[int]
) -> None:
    """A day in two runs gives everybody the very same as the day in one; whatever order the workflows run in."""
    owed = []
    for parts in ((early + late, []), (early, late)):
        world = worlds.build()
        try:
            books = open_books(world)
            books.agree(PLATFORM_ID, **commission)
            bring(books, parts[0], {}, {})
            books.sleep()
            books.settle(DAY)
            books.day = DAY
            bring(books, parts[1], {}, {})
            books.day = ""
            for _ in range(3):
                books.sleep()
            for place in order:
                books.settle(f"2026-03-0{3 + place}")
            if (run := service.find_run(world.ctx, books.operator_id, DAY, 2)) is not None:
                assert books.settle(DAY, run.number)["state"] == "posted"
            assert service.find_run(world.ctx, books.operator_id, DAY, 3) is None
            owed.append([books.owed(who, cur) for who in (books.operator_id, PLATFORM_ID) for cur in CURRENCIES])
        finally:
            world.close()
    assert owed[0] == owed[1]


@pytest.mark.parametrize("carried_out", [False, True], ids=["before the call", "after the call"])
def test_a_crash_at_any_call_to_the_store_changes_nothing(carried_out: bool) -> None:
    """The workflow's Lambda dies at its first call, at its second, and so on; the next try goes on from there."""
    crashes = 0
    while dies_and_goes_on((crashes + 1, carried_out)):
        crashes += 1
    assert crashes > 20


def dies_and_goes_on(crash_at: tuple[int, bool]) -> bool:
    """False when the workflow came to its end before that call."""
    world = worlds.build()
    mortal = MortalContext(world.ctx)
    try:
        books = open_books(world)
        books.agree(PLATFORM_ID, percent=Decimal(10))
        books.agree("org_agency_a", percent=Decimal(20))
        books.sell(1000, agency_id="org_agency_a")
        books.take_cash(100)
        books.sleep()
        mortal.crash_at = crash_at
        context.install(mortal)
        with suppress(Crash):
            books.settle(DAY)
        died = mortal.calls >= crash_at[0]
        context.install(world.ctx)
        assert books.settle(DAY)["state"] == "posted"
        assert (books.owed(), books.owed(PLATFORM_ID), books.owed("org_agency_a")) == (600, 100, 200)
        assert totals_by_class(world)[("income", "EUR")] == 0
        assert not list(service.pending_runs(world.ctx))
        return died
    finally:
        world.close()
