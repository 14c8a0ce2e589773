"""Many at once: never more goes out than is there, one decision counts, and an account that is everybody's loses
nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID, Organization
from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import proving
from chalicelib.settlement import jobs, service
from chalicelib.settlement.model import Terms, Withdrawal
from tests.integration.money.test_contention import THREADS, at_once
from tests.settling import Books, open_books, totals_by_class, withdrawal_of
from tests.world import World

DAY = "2026-03-02"
TRIES = 50
IBAN = "DE89370400440532013000"


@pytest.fixture
def books(world: World) -> Books:
    """10.50 are owed to the operator."""
    books = open_books(world)
    books.sell(1050)
    books.sleep()
    books.settle(DAY)
    return books


def with_account(books: Books) -> Organization:
    account = BankAccount("Operator", IBAN, books.world.ctx.now())
    organization = identity.get_organization(books.world.ctx, books.operator_id)
    return Organization(**{**vars(organization), "bank_account": account})


def asker(books: Books, number: int, amount: int = 100) -> Callable[[], object]:
    organization = with_account(books)
    requested_at = books.world.ctx.now()

    def ask() -> object:
        for _ in range(TRIES):  # as a client that is told to try again
            with suppress(StaleRead):
                return books.world.commit(
                    lambda uow: service.request_withdrawal(
                        uow,
                        organization,
                        amount=Money(amount, "EUR"),
                        method="bank",
                        requested_at=requested_at,
                        requested_by="usr_1",
                        login_id="log_1",
                        key=f"key-{number}",
                    )
                )
        raise AssertionError("it is tried forever")

    return ask


def test_as_many_withdrawals_as_there_is_money_for(books: Books) -> None:
    results = at_once([asker(books, number) for number in range(THREADS)])
    assert results == {"done": 10, "ledger.insufficient_funds": 10}
    assert books.owed() == 50
    made = service.list_withdrawals(books.world.ctx, books.operator_id, state=None, limit=100, cursor=None).data
    assert sorted(withdrawal.number for withdrawal in made) == [f"WD-2026-{n:06d}" for n in range(1, 11)]
    assert totals_by_class(books.world)[("withdrawals", "EUR")] == 1000
    assert proving.prove_ledger(books.world.ctx).fault_count == 0


def test_the_same_request_at_once_is_one_withdrawal(books: Books) -> None:
    results = at_once([asker(books, 1)] * 5)
    assert results == {"done": 5}
    assert books.owed() == 950


def test_of_all_who_decide_at_once_one_decides(books: Books) -> None:
    withdrawal = asker(books, 1)()
    assert isinstance(withdrawal, Withdrawal)

    def approve() -> object:
        return books.world.commit(
            lambda uow: service.approve_withdrawal(
                uow,
                withdrawal_of(books.world.ctx, withdrawal.withdrawal_id),
                decided_by="usr_2",
                login_id="log_2",
            )
        )

    def reject() -> object:
        return books.world.commit(
            lambda uow: service.reject_withdrawal(
                uow,
                withdrawal_of(books.world.ctx, withdrawal.withdrawal_id),
                reason="No",
                decided_by="usr_3",
            )
        )

    results = at_once([approve, approve])
    assert results == {"done": 1, "withdrawal.illegal_transition": 1}
    results = at_once([reject] * 4)
    assert results == {"done": 1, "withdrawal.illegal_transition": 3}
    assert books.owed() == 1050
    assert totals_by_class(books.world)[("withdrawals", "EUR")] == 0


def test_runs_that_credit_the_same_beneficiary_at_once(world: World) -> None:
    """Midnight is everybody's: eight operators pay their commission to the platform at the same moment."""
    many = [open_books(world) if n == 0 else Books(world, world.operator()) for n in range(8)]
    for books in many:
        books.agree(PLATFORM_ID, percent=Decimal(10))
        books.sell(1000)
    many[0].sleep()

    def settle(books: Books) -> Callable[[], object]:
        event = {"operator_id": books.operator_id, "business_day": DAY}

        def work() -> object:
            jobs.settlement_compute(event, None)
            for _ in range(TRIES):  # as the state machine tries again
                with suppress(StaleRead):
                    return jobs.settlement_post(event, None)
            raise AssertionError("it is tried forever")

        return work

    assert at_once([settle(books) for books in many]) == {"done": 8}
    assert many[0].owed(PLATFORM_ID) == 800
    assert [books.owed() for books in many] == [900] * 8
    assert proving.prove_ledger(world.ctx).fault_count == 0


def deciding(books: Books, beneficiary_id: str, percent: int, valid_from: str = DAY) -> UnitOfWork:
    """Somebody who has read and decided, and is about to commit."""
    uow = UnitOfWork(books.world.ctx)
    terms = Terms(valid_from, percent=Decimal(percent))
    operator = books.operator.organization
    service.make_contract(uow, operator, beneficiary_id=beneficiary_id, kind="commission", currency="EUR", terms=terms)
    return uow


@pytest.mark.parametrize("known", [0, 1], ids=["the first contracts", "further ones"])
def test_two_contracts_agreed_at_once_do_not_give_away_more_than_all(world: World, known: int) -> None:
    books = open_books(world)
    for number in range(known):
        deciding(books, f"org_{number}", 1).commit()
    one, other = deciding(books, "org_a", 60), deciding(books, "org_b", 60)
    one.commit()
    with pytest.raises(StaleRead):
        other.commit()
    with pytest.raises(DomainError, match="percent would be given away"):
        deciding(books, "org_b", 60)


def test_a_day_whose_run_is_opened_meanwhile_keeps_the_terms_that_it_had(world: World) -> None:
    books = open_books(world)
    books.sell(1000)
    late = deciding(books, PLATFORM_ID, 10)
    books.sleep()
    with pytest.raises(StaleRead):
        late.commit()
    books.settle(DAY)
    assert books.owed() == 1000
