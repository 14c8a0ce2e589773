"""Money that no CDR tells of: the statement never agrees past it, in whatever currency it lies."""

from __future__ import annotations

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.ledger.model import EntryKind, captures_account, income_account, wallet_account
from chalicelib.settlement import service
from tests.settling import DRIVER, Books, open_books
from tests.world import World

DAY = "2026-03-02"


@pytest.fixture
def books(world: World) -> Books:
    books = open_books(world)
    books.fill("USD")
    return books


def earn(books: Books, amount: int, currency: str, kind: EntryKind = "correction", day: str | None = DAY) -> None:
    """Income that nobody charged for."""
    wallet, income = wallet_account(DRIVER, currency), income_account(books.operator_id, currency)
    books.post(wallet, kind, currency, {wallet: -amount, income: amount}, day)


def difference(books: Books) -> str | None:
    run = service.find_run(books.world.ctx, books.operator_id, DAY)
    assert run is not None
    return run.difference


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_income_of_no_business_day_does_not_come_in(books: Books, currency: str) -> None:
    with pytest.raises(DomainError, match="no settlement would ever find") as refused:
        earn(books, 500, currency, day=None)
    assert refused.value.code == "ledger.entry_invalid"


def test_income_in_a_currency_in_which_nobody_charged_is_found(books: Books) -> None:
    earn(books, 700, "USD")
    books.sell(100)
    books.sleep()
    assert books.settle(DAY)["state"] == "disputed"
    assert difference(books) == "CDRs say 0.00 USD, the ledger 7.00 USD"


def test_a_session_without_its_cdr_is_found_in_currencies_of_earlier_days(books: Books) -> None:
    """Ends of sessions leave no mark of their own: what was settled before tells where to look."""
    books.sell(100, currency="USD")
    books.sleep()
    assert books.settle(DAY)["state"] == "posted"
    captures, income = captures_account("stripe", "USD"), income_account(books.operator_id, "USD")
    books.post(captures, "capture", "USD", {captures: -300, income: 300}, "2026-03-03")
    books.sleep()
    assert books.settle("2026-03-03")["state"] == "disputed"


def test_income_that_is_put_right_on_its_day_agrees_again(books: Books) -> None:
    earn(books, 700, "USD")
    earn(books, -700, "USD")
    books.sell(100)
    books.sleep()
    assert books.settle(DAY)["state"] == "posted"
