"""Whatever is sold and corrected on whatever days, settled or not: figures are what was sold, read in either way."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.reports import service
from chalicelib.reports.model import Figures, Place
from tests import world as worlds
from tests.settling import Books, Payer, open_books

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 6)
AT_ALL_PLACES, AT_THE_CHARGER = Place(), Place(charger_ids=frozenset({"CP-1"}))

payers = st.sampled_from(("wallet", "card", "enterprise"))
sales = st.lists(st.tuples(st.integers(0, 5000), payers, st.none() | st.integers(0, 5000)), max_size=3)
days = st.tuples(sales, st.booleans())


def sell(books: Books, amount: int, payer: Payer, corrected_to: int | None) -> None:
    cdr = books.sell(amount, payer, tax=amount // 6)
    if corrected_to is not None:
        books.correct(cdr, corrected_to)


def figures(books: Books, place: Place) -> Figures:
    total = Figures()
    for _, found in service.figures_of_days(books.world.ctx, books.operator.organization, FIRST, LAST, place):
        for part in found.values():
            total.add(part)
    return total


@settings(max_examples=20, deadline=None)
@given(st.lists(days, min_size=1, max_size=4))
def test_figures_are_what_was_sold(past: list[tuple[list[tuple[int, Payer, int | None]], bool]]) -> None:
    world = worlds.build()
    try:
        books = open_books(world)
        for sold, is_settled in past:
            day = books.today
            for sale in sold:
                sell(books, *sale)
            books.sleep()
            if is_settled:
                books.settle(day)
        everything = figures(books, AT_ALL_PLACES)
        assert everything == figures(books, AT_THE_CHARGER)
        assert everything.gross == sum(cdr.captured.amount for cdr in books.sold)
        assert everything.energy_wh == sum(cdr.energy_wh for cdr in books.sold)
        assert everything.sessions == sum(len(sold) for sold, _ in past)
        corrections = [(amount, after) for sold, _ in past for amount, _, after in sold if after is not None]
        assert everything.corrections == sum(after - amount for amount, after in corrections)
        cards = (cdr.captured.amount for cdr in books.sold if cdr.payment_id)
        assert everything.cards == sum(cards)
    finally:
        world.close()
