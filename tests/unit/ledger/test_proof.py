"""The nightly proof: silent on books that are right, and it finds each way in which they can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.kernel.context import Context
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import jobs, model, proving, service
from chalicelib.ledger.model import Entry, Hold, Posting, Proof
from chalicelib.ledger.store import BALANCES, ENTRIES, BalanceRow, EntryRow, entry_sk
from tests.world import World

WALLET = "wallet:drv_1:EUR"
NIGHT = dict.fromkeys(("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources"))


@pytest.fixture
def books(world: World) -> World:
    """A wallet with 10.00 of cash, of which 5.00 are held and 2.00 of an earlier session captured."""
    cash = Entry(
        entry_id=world.ctx.new_id("ent"),
        home_account_id=WALLET,
        kind="manual_entry",
        currency="EUR",
        postings=[Posting(WALLET, 1000), Posting("cash:org_1:EUR", -1000)],
        occurred_at=world.ctx.now(),
        source_id="org_1",
        business_day="2026-03-02",
    )
    world.commit(lambda uow: service.post(uow, cash))
    earlier, session_id = _hold(world, 300)
    world.commit(
        lambda uow: service.capture_hold(
            uow,
            earlier,
            taken=Money(200, "EUR"),
            to_account_id="income:org_1:EUR",
            source_id=session_id,
            business_day="2026-03-02",
        )
    )
    _hold(world, 500)
    return world


def _hold(world: World, amount: int) -> tuple[Hold, str]:
    session_id = world.ctx.new_id("ses")
    hold = Hold(model.hold_id(WALLET, session_id), WALLET, model.hold_account(session_id), Money(amount, "EUR"))
    expires_at = world.ctx.now() + timedelta(hours=24)
    world.commit(lambda uow: service.place_hold(uow, hold, source_id=session_id, expires_at=expires_at))
    return hold, session_id


def _open_hold(world: World) -> Entry:
    (held,) = [e for e in service.list_entries(world.ctx, WALLET).data if e.hold_state == "open"]
    return held


def _codes(proof: Proof) -> set[str]:
    return {fault.code for fault in proof.faults}


def test_right_books_have_no_faults_and_sum_to_zero(books: World) -> None:
    proof = proving.prove_ledger(books.ctx)
    assert (proof.entries, proof.balances, proof.fault_count) == (4, 1, 0)
    assert proof.totals == {"wallet:EUR": 300, "hold:EUR": 500, "income:EUR": 200, "cash:EUR": -1000}
    assert sum(proof.totals.values()) == 0


def test_a_balance_that_was_tampered_with_is_found(books: World) -> None:
    _write(books, lambda uow: uow.update(BALANCES, (WALLET, "balance"), [BalanceRow.balance.add(1)]))
    proof = proving.prove_ledger(books.ctx)
    assert _codes(proof) == {"balance_differs"}
    assert proof.fault_count == 1


def test_a_lost_entry_is_found(books: World) -> None:
    oldest = service.list_entries(books.ctx, WALLET, newest_first=False).data[0]
    _write(books, lambda uow: uow.delete(ENTRIES, (WALLET, entry_sk(oldest.entry_id))))
    assert "balance_differs" in _codes(proving.prove_ledger(books.ctx))


def test_a_lost_balance_is_found(books: World) -> None:
    _write(books, lambda uow: uow.delete(BALANCES, (WALLET, "balance")))
    assert _codes(proving.prove_ledger(books.ctx)) == {"balance_differs"}


def test_an_entry_that_does_not_sum_to_zero_is_found(books: World) -> None:
    broken = Entry(
        entry_id=books.ctx.new_id("ent"),
        home_account_id="receivable:org_1:EUR",
        kind="settlement",
        currency="EUR",
        postings=[Posting("receivable:org_1:EUR", 5), Posting("income:org_1:EUR", -4)],
        occurred_at=books.ctx.now(),
        source_id="stm_1",
    )
    _write(books, lambda uow: uow.create(ENTRIES, broken))
    assert _codes(proving.prove_ledger(books.ctx)) == {"unbalanced"}


@pytest.mark.parametrize(
    ("account_id", "code"),
    [
        (WALLET, "guarded_elsewhere"),
        ("enterprise:epr_1:EUR", "guarded_elsewhere"),
        ("income:org_1:NOK", "currency_differs"),
    ],
)
def test_a_posting_behind_the_back_of_an_account_is_found(books: World, account_id: str, code: str) -> None:
    """Stored where the account's own list, and so its balance, knows nothing of it."""
    behind = Entry(
        entry_id=books.ctx.new_id("ent"),
        home_account_id="receivable:org_1:EUR",
        kind="settlement",
        currency="EUR",
        postings=[Posting("receivable:org_1:EUR", -5), Posting(account_id, 5)],
        occurred_at=books.ctx.now(),
        source_id="stm_1",
    )
    _write(books, lambda uow: uow.create(ENTRIES, behind))
    assert _codes(proving.prove_ledger(books.ctx)) == {code}


def test_income_that_no_settlement_would_find_is_found(books: World) -> None:
    """The ledger refuses it; who wrote it all the same shows here."""
    stray = Entry(
        entry_id=books.ctx.new_id("ent"),
        home_account_id="captures:stripe:EUR",
        kind="correction",
        currency="EUR",
        postings=[Posting("captures:stripe:EUR", -5), Posting("income:org_1:EUR", 5)],
        occurred_at=books.ctx.now(),
        source_id="ses_1",
    )
    _write(books, lambda uow: uow.create(ENTRIES, stray))
    assert _codes(proving.prove_ledger(books.ctx)) == {"not_filed"}


def test_a_hold_that_says_it_is_over_while_the_money_lies_there_is_found(books: World) -> None:
    held = _open_hold(books)
    key = (WALLET, entry_sk(held.entry_id))
    _write(books, lambda uow: uow.update(ENTRIES, key, [EntryRow.hold_state.set("released")]))
    assert _codes(proving.prove_ledger(books.ctx)) == {"holds_differ"}


def test_a_forgotten_hold_is_reported_after_its_grace(books: World) -> None:
    books.advance(24 * 3600)
    assert proving.prove_ledger(books.ctx).fault_count == 0
    books.advance(3601)
    proof = proving.prove_ledger(books.ctx)
    assert _codes(proof) == {"hold_forgotten"}
    assert _open_hold(books).entry_id in proof.faults[0].detail


def test_somebody_who_posts_during_the_proof_is_no_fault(books: World) -> None:
    """The pass reads the balance before the entries; what is posted in between makes them differ at first sight."""
    ctx = PostingWhileScanned(books)
    assert proving.prove_ledger(ctx).fault_count == 0
    assert ctx.posted


def test_the_job_keeps_its_result_and_replaces_it_on_the_same_day(books: World) -> None:
    first = jobs.prove_ledger(NIGHT, None)
    assert (first["day"], first["faults"]) == ("2026-03-02", 0)
    _write(books, lambda uow: uow.update(BALANCES, (WALLET, "balance"), [BalanceRow.balance.add(1)]))
    assert jobs.prove_ledger(NIGHT, None)["faults"] == 1
    (kept,) = service.list_proofs(books.ctx, limit=10, cursor=None).data
    assert (kept.day, kept.fault_count, kept.faults[0].account_id) == ("2026-03-02", 1, WALLET)


def _write(world: World, change: Callable[[UnitOfWork], None]) -> None:
    uow = UnitOfWork(world.ctx)
    change(uow)
    uow.commit()


class PostingWhileScanned(Context):
    """A context whose scan answers with what was there before a posting that lands during it."""

    def __init__(self, world: World) -> None:
        super().__init__(world.ctx.settings, world.clock)
        self._world = world
        self.posted = False

    @property
    def dynamodb(self) -> PostingWhileScanned:
        return self

    def scan(self, **request: object) -> dict[str, object]:
        before = self._world.ctx.dynamodb.scan(**request)
        _hold(self._world, 50)
        self.posted = True
        after = self._world.ctx.dynamodb.scan(**request)
        is_balance = [item for item in before["Items"] if item["sk"]["S"] == "balance"]
        entries = [item for item in after["Items"] if item["sk"]["S"] != "balance"]
        return {"Items": is_balance + entries}

    def __getattr__(self, operation: str) -> object:
        return getattr(self._world.ctx.dynamodb, operation)
