"""From asking to the money: who may do what, what the books say at each step, and what providers tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.identity.model import Organization
from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import proving
from chalicelib.settlement import jobs, service
from chalicelib.settlement.model import OPEN_STATES, WITHDRAWAL_LIFECYCLE, Withdrawal
from chalicelib.settlement.store.withdrawals import WITHDRAWALS
from tests.settling import Books, Payer, open_books, totals_by_class, withdrawal_of
from tests.world import Reply, World

DAY = "2026-03-02"
IBAN = "DE89370400440532013000"


@pytest.fixture
def books(world: World) -> Books:
    """10.00 are owed to an operator that has a bank account."""
    books = open_books(world)
    account = {"holder": "Operator", "number": IBAN, "bic": "COBADEFF"}
    path = f"/v1/organizations/{books.operator_id}"
    reply = world.rest.patch(path, {"bank_account": account}, token=books.operator.access_token)
    assert reply.status == 200, reply.body
    books.sell(1000)
    books.sleep()
    books.settle(DAY)
    return books


def ask(books: Books, method: str, path: str, body: Any = None, *, platform: bool = False, **options: Any) -> Reply:
    world = books.world
    token = world.platform_admin() if platform else world.access_token(books.operator.user.email)
    return world.rest.request(method, f"/v1/withdrawals{path}", body, token=token, **options)


def request(books: Books, amount: int, key: str = "key-1", **body: Any) -> Reply:
    return ask(books, "POST", "", {"amount": {"amount": amount, "currency": "EUR"}} | body, key=key)


def decide(books: Books, withdrawal_id: str, verb: str, body: Any = None, key: str = "") -> Reply:
    return ask(books, "POST", f"/{withdrawal_id}/{verb}", body, platform=True, key=key or f"{verb}-{withdrawal_id}")


def money(books: Books) -> tuple[int, int, int]:
    """Owed, under way, gone by bank."""
    totals = totals_by_class(books.world)
    return books.owed(), totals.get(("withdrawals", "EUR"), 0), totals[("clearing", "EUR")] + 10**12


def paid(books: Books, reference: str = "SEPA 1") -> dict[str, str]:
    return {"reference": reference, "paid_at": books.world.ctx.now().isoformat()}


def test_a_withdrawal_from_asking_to_the_bank(books: Books) -> None:
    asked = request(books, 600)
    assert asked.status == 201, asked.body
    view = asked.body
    assert (view["state"], view["number"]) == ("requested", "WD-2026-000001")
    assert view["bank_account"]["number"].endswith("3000")
    assert "8937" not in view["bank_account"]["number"]
    assert money(books) == (400, 600, 0)
    assert request(books, 600).body == view  # the same request again
    assert money(books) == (400, 600, 0)
    withdrawal_id = view["withdrawal_id"]
    assert ask(books, "GET", f"/{withdrawal_id}", platform=True).body["bank_account"]["number"] == IBAN
    assert [w["withdrawal_id"] for w in ask(books, "GET", "", platform=True).body["data"]] == [withdrawal_id]
    approved = decide(books, withdrawal_id, "approve")
    assert (approved.status, approved.body["state"]) == (200, "approved")
    assert money(books) == (400, 600, 0)
    done = decide(books, withdrawal_id, "mark-paid", paid(books))
    assert (done.body["state"], done.body["reference"]) == ("paid", "SEPA 1")
    assert money(books) == (400, 0, 600)
    assert ask(books, "GET", "", platform=True).body["data"] == []
    assert [w["state"] for w in ask(books, "GET", "").body["data"]] == ["paid"]
    assert proving.prove_ledger(books.world.ctx).fault_count == 0
    books.world.run_events()
    mails = [mail.text for mail in books.world.mails(books.operator.organization.email) if "WD-2026" in mail.subject]
    assert len(mails) == 1
    assert "6.00 EUR" in mails[0]
    assert IBAN not in mails[0]


def test_what_is_rejected_is_owed_again(books: Books) -> None:
    withdrawal_id = request(books, 600).body["withdrawal_id"]
    decide(books, withdrawal_id, "approve")
    rejected = decide(books, withdrawal_id, "reject", {"reason": "The bank knows no such account"})
    assert rejected.body["state"] == "rejected"
    assert money(books) == (1000, 0, 0)
    again = decide(books, withdrawal_id, "reject", {"reason": "Twice"}, key="twice")
    assert (again.status, again.body["code"]) == (409, "withdrawal.illegal_transition")
    assert decide(books, withdrawal_id, "mark-paid", paid(books)).status == 409
    assert money(books) == (1000, 0, 0)
    books.world.run_events()
    [mail] = [mail for mail in books.world.mails(books.operator.organization.email) if "not paid" in mail.subject]
    assert "The bank knows no such account" in mail.text
    assert request(books, 1000, key="key-2").body["number"] == "WD-2026-000002"


@pytest.mark.parametrize(
    ("amount", "code"), [(1001, "ledger.insufficient_funds"), (0, "withdrawal.amount"), (-5, "withdrawal.amount")]
)
def test_no_more_than_is_owed(books: Books, amount: int, code: str) -> None:
    reply = request(books, amount)
    assert reply.body["code"] == code
    assert money(books) == (1000, 0, 0)
    assert ask(books, "GET", "").body["data"] == []


def test_who_asks_for_too_much_reads_how_much_there_is(books: Books) -> None:
    [error] = request(books, 1001).body["errors"]
    assert error["pointer"] == "/amount/amount"
    assert error["detail"] == "At most 10.00 EUR can be withdrawn."


def test_who_owes_gets_nothing(books: Books) -> None:
    books.take_cash(5000)
    books.sleep()
    books.settle("2026-03-03")
    assert books.owed() == -4000
    refused = request(books, 1).body
    assert (refused["code"], refused["detail"]) == ("ledger.insufficient_funds", "At most 0.00 EUR can be withdrawn.")


def test_who_came_to_owe_since_is_not_paid(books: Books) -> None:
    withdrawal_id = request(books, 1000).body["withdrawal_id"]
    books.take_cash(5000)
    books.sleep()
    books.settle("2026-03-03")
    refused = decide(books, withdrawal_id, "approve")
    assert (refused.status, refused.body["code"]) == (409, "withdrawal.owing")
    assert decide(books, withdrawal_id, "reject", {"reason": "Pay the cash first"}).status == 200
    assert money(books) == (-4000, 0, 0)


def agencys_withdrawal(books: Books, agency: Organization, amount: int) -> Withdrawal:
    account = BankAccount("Agency", IBAN, books.world.ctx.now())
    withdrawal: Withdrawal = books.world.commit(
        lambda uow: service.request_withdrawal(
            uow,
            replace(agency, bank_account=account),
            amount=Money(amount, "EUR"),
            method="bank",
            requested_at=books.world.ctx.now(),
            requested_by="usr_1",
            login_id="lgn_1",
            key=str(amount),
        )
    )
    return withdrawal


@pytest.mark.parametrize(
    ("terms", "payer", "cash"),
    [
        ({"percent": Decimal(100)}, "enterprise", 0),
        ({"percent": Decimal(100)}, "wallet", 10_000),
    ],
)
def test_nobody_is_paid_what_its_operator_never_paid_to_us(
    books: Books, terms: dict[str, Any], payer: Payer, cash: int
) -> None:
    """An operator gives its agency more than there is: of what its enterprises owe, of its own cash."""
    agency = books.agency()
    books.agree(agency.organization_id, **terms)
    books.sell(10_000, payer, agency_id=agency.organization_id)
    if cash:
        books.take_cash(cash)
    books.sleep()
    books.settle("2026-03-03")
    given, debt = books.owed(agency.organization_id), -books.owed()
    assert 0 < debt < given
    for amount, code in ((given, "withdrawal.not_covered"), (given - debt + 1, "withdrawal.not_covered")):
        withdrawal = agencys_withdrawal(books, agency, amount)
        assert decide(books, withdrawal.withdrawal_id, "approve").body["code"] == code
        decide(books, withdrawal.withdrawal_id, "reject", {"reason": "Not covered"})
    covered = agencys_withdrawal(books, agency, given - debt)
    assert decide(books, covered.withdrawal_id, "approve").status == 200


def test_without_an_account_there_is_nowhere_to_pay_to(world: World) -> None:
    books = open_books(world)
    reply = request(books, 1)
    assert (reply.status, reply.body["code"]) == (409, "withdrawal.no_bank_account")
    assert reply.body["errors"][0]["pointer"] == "/bank_account"
    assert request(books, 1, key="key-2", method="provider").body["code"] == "payout.no_payee"


def test_the_account_is_the_one_that_was_on_file(books: Books) -> None:
    """Who changes it afterwards does not lead away what was asked for."""
    withdrawal_id = request(books, 100).body["withdrawal_id"]
    path = f"/v1/organizations/{books.operator_id}"
    token = books.world.access_token(books.operator.user.email)
    books.world.rest.patch(path, {"bank_account": {"holder": "Eve", "number": "12345678"}}, token=token)
    view = ask(books, "GET", f"/{withdrawal_id}", platform=True).body
    assert (view["bank_account"]["holder"], view["bank_account"]["number"]) == ("Operator", IBAN)


def test_four_eyes(books: Books) -> None:
    withdrawal = withdrawal_of(books.world.ctx, request(books, 100).body["withdrawal_id"])
    with pytest.raises(DomainError, match="cannot approve"):
        books.world.commit(
            lambda uow: service.approve_withdrawal(
                uow, withdrawal, decided_by="usr_x", login_id=withdrawal.requested_login
            )
        )
    assert decide(books, withdrawal.withdrawal_id, "mark-paid", paid(books)).status == 409  # nobody approved


def test_only_the_platform_decides(books: Books) -> None:
    withdrawal_id = request(books, 100).body["withdrawal_id"]
    for verb, body in (("approve", None), ("reject", {"reason": "Mine"}), ("mark-paid", paid(books))):
        assert ask(books, "POST", f"/{withdrawal_id}/{verb}", body, key=verb).status == 403
    other = books.world.operator()
    path = f"/v1/withdrawals/{withdrawal_id}"
    assert books.world.rest.get(path, token=other.access_token).status == 404


def test_a_bank_does_not_pay_tomorrow(books: Books) -> None:
    withdrawal_id = request(books, 100).body["withdrawal_id"]
    decide(books, withdrawal_id, "approve")
    later = {"reference": "R", "paid_at": (books.world.ctx.now() + timedelta(minutes=1)).isoformat()}
    assert decide(books, withdrawal_id, "mark-paid", later).body["code"] == "withdrawal.paid_in_future"


# -- what providers tell --------------------------------------------------------------------------------------------


@pytest.fixture
def paying(books: Books) -> Withdrawal:
    """A withdrawal that a provider is paying out."""
    asked = withdrawal_of(books.world.ctx, request(books, 600).body["withdrawal_id"])
    changed = replace(asked, method="provider", state="paying")
    books.world.commit(lambda uow: put(uow, changed))
    return changed


def put(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    uow.put(WITHDRAWALS, withdrawal)


def told(books: Books, withdrawal: Withdrawal, what: str, **payload: str) -> Event:
    said = {"provider": "stripe", **payload}
    return Event("evt_1", f"payout.{what}", withdrawal.withdrawal_id, said, books.world.ctx.now())


def test_a_payout_that_is_paid_is_booked_once(books: Books, paying: Withdrawal) -> None:
    for _ in range(3):
        jobs.on_payout_paid(books.world.ctx, told(books, paying, "paid", provider="stripe", payout_ref="po_1"))
    after = withdrawal_of(books.world.ctx, paying.withdrawal_id)
    assert (after.state, after.reference) == ("paid", "po_1")
    assert money(books) == (400, 0, 600)


def test_a_payout_that_fails_is_owed_again(books: Books, paying: Withdrawal) -> None:
    for _ in range(3):
        jobs.on_payout_failed(books.world.ctx, told(books, paying, "failed", failure="account_closed"))
    after = withdrawal_of(books.world.ctx, paying.withdrawal_id)
    assert (after.state, after.reason) == ("failed", "account_closed")
    assert money(books) == (1000, 0, 0)
    jobs.on_payout_paid(books.world.ctx, told(books, paying, "paid"))
    assert money(books) == (1000, 0, 0)


def test_a_payout_that_comes_back_is_owed_again(books: Books, paying: Withdrawal) -> None:
    jobs.on_payout_paid(books.world.ctx, told(books, paying, "paid"))
    for _ in range(2):
        jobs.on_payout_failed(books.world.ctx, told(books, paying, "failed", failure="returned"))
    assert money(books) == (1000, 0, 0)
    assert proving.prove_ledger(books.world.ctx).fault_count == 0


def test_what_a_bank_pays_no_provider_decides(books: Books) -> None:
    withdrawal_id = request(books, 600).body["withdrawal_id"]
    decide(books, withdrawal_id, "approve")
    decide(books, withdrawal_id, "mark-paid", paid(books))
    withdrawal = withdrawal_of(books.world.ctx, withdrawal_id)
    jobs.on_payout_failed(books.world.ctx, told(books, withdrawal, "failed"))
    jobs.on_payout_failed(books.world.ctx, told(books, replace(withdrawal, withdrawal_id="wdr_unknown"), "failed"))
    assert money(books) == (400, 0, 600)


@pytest.mark.parametrize("state", sorted(WITHDRAWAL_LIFECYCLE.states))
@pytest.mark.parametrize("event", sorted(WITHDRAWAL_LIFECYCLE.events))
def test_every_state_and_event(state: Any, event: str) -> None:
    expected = {
        ("requested", "approved"): "approved",
        ("requested", "rejected"): "rejected",
        ("approved", "rejected"): "rejected",
        ("approved", "marked_paid"): "paid",
        ("approved", "payout_begun"): "paying",
        ("paying", "payout_paid"): "paid",
        ("paying", "payout_failed"): "failed",
        ("paid", "payout_failed"): "failed",
    }.get((state, event))
    if expected is None:
        with pytest.raises(DomainError, match=f"is {state}"):
            WITHDRAWAL_LIFECYCLE.next(state, event)
    else:
        assert WITHDRAWAL_LIFECYCLE.next(state, event) == expected


def test_open_is_what_is_not_over() -> None:
    assert WITHDRAWAL_LIFECYCLE.states - {"paid", "rejected", "failed"} == OPEN_STATES
