"""What must be true of the town: at every moment, and when everything is told, delivered, over, settled and paid.

Read from the rows as an auditor would, side by side: the ledger, the CDRs, the sessions, the payments, the settlement
runs, and the provider's own books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.drivers.store import USAGES, usage_key
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, account_class, income_account
from chalicelib.ledger.store import ENTRIES, LINES
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment, Refund
from chalicelib.payments.providers.port import CheckoutState, PayoutState, RefundState
from chalicelib.settlement import service as settlement
from chalicelib.wallets import service as wallets
from chalicelib.wallets.store import EXPOSURES, exposure_key
from tests.integration.money.town.bank import Bank
from tests.integration.money.town.town import CREDIT, EMPLOYEE, FEE, Town
from tests.unit.payments.till import page

ROUNDS = 4
MONTHS = tuple(f"2026-{month:02d}" for month in range(1, 13))


def check_books(town: Town) -> None:
    """At every moment."""
    proof = proving.prove_ledger(town.ctx)
    assert [fault for fault in proof.faults if fault.code != "hold_forgotten"] == []
    assert sum(proof.totals.values()) == 0


def bring_to_an_end(town: Town, people: Bank) -> None:
    """Nobody dies any more, the provider is well, chargers tell what they have, all is delivered; then nights."""
    provider = town.till.provider
    provider.refusal, provider.refund_state = None, RefundState.SUCCEEDED
    for _ in range(ROUNDS):
        assert town.deliver() == "done"
        for evse_no in list(town.running):
            assert people.ends(evse_no, 0, None) == "done"
        for session in town.open_sessions():
            people.closes(session, "expire" if session.is_pending else "give_up")
        for number in range(len(people.payments)):
            payment = people.payment(number)
            if payment is not None and provider.outcomes[page(payment)].may_still_be_paid:
                people.pays(number, "expire")
            people.notifies(number, f"last.{town.next_number()}", None)
        people.refunds_end(RefundState.SUCCEEDED, None)
        people.payouts_end(PayoutState.PAID, None)
        people.end_disputes()
        people.reconciles(None)
    assert town.deliver() == "done"
    for _ in range(2 * ROUNDS):
        people.night_falls(None)
        assert town.deliver() == "done"
        people.settles(None)


def check_the_end(town: Town, people: Bank) -> None:
    """After `bring_to_an_end`: each fact moved its money exactly once, whoever is asked."""
    check_books(town)
    assert proving.prove_ledger(town.ctx).faults == [], "no hold is left"
    assert town.open_sessions() == []
    cdrs = {
        session.session_id: lookup.list_cdrs_of_session(town.ctx, session.session_id) for session in town.sessions()
    }
    for session in town.sessions():
        check_session(session, cdrs[session.session_id])
    entries = list(all_entries(town))
    check_income(town, [cdr for found in cdrs.values() for cdr in found], entries)
    balances = sums(entries)
    check_wallets(town, people, [cdr for found in cdrs.values() for cdr in found], balances)
    check_enterprise(town, [cdr for found in cdrs.values() for cdr in found], balances)
    check_provider(town, people, balances)
    check_disputes(town, people, balances)
    check_settlement(town, people, balances)


def check_session(session: ChargingSession, cdrs: list[Cdr]) -> None:
    """Whoever got energy has one valid CDR, whoever did not has none, and the session says what it says."""
    taken_back = {cdr.credit_reference_id for cdr in cdrs if cdr.credit_reference_id}
    valid = [cdr for cdr in cdrs if not cdr.credit_reference_id and cdr.cdr_id not in taken_back]
    assert len(valid) == (0 if session.started_at is None else 1), session
    for cdr in valid:
        assert (cdr.total_cost.amount, cdr.captured.amount) == (session.cost, session.captured)
        assert cdr.uncollected == cdr.total_cost - cdr.captured
        assert cdr.uncollected.amount >= 0
        assert sum(each.captured.amount for each in cdrs) == session.captured
        assert sum(each.energy_wh for each in cdrs) == session.energy_wh


def check_income(town: Town, cdrs: list[Cdr], entries: list[Entry]) -> None:
    """Day by day: what CDRs say was taken is what the ledger booked."""
    account = income_account(town.operator_id, "EUR")
    stated: Counter[str] = Counter()
    booked: Counter[str] = Counter()
    for cdr in cdrs:
        stated[cdr.business_day] += cdr.captured.amount
    for entry in entries:
        if entry.kind != "settlement" and entry.amount_on(account):
            booked[entry.business_day or "without a day"] += entry.amount_on(account)
    assert {day: amount for day, amount in stated.items() if amount} == {
        day: amount for day, amount in booked.items() if amount
    }


def check_wallets(town: Town, people: Bank, cdrs: list[Cdr], balances: Counter[str]) -> None:
    """A wallet is what was paid in, with bonuses and cash, less what was taken and paid back."""
    assert not [name for name in balances if account_class(name) == "hold" and balances[name]]
    for driver in town.drivers:
        wallet = f"wallet:{driver.driver_id}:EUR"
        paid = bonuses = 0
        for topup_id, payment_id in people.topups:
            topup = wallets.find_topup(town.ctx, topup_id)
            if topup is None or topup.driver_id != driver.driver_id:
                continue
            is_paid = town.till.provider.outcomes[f"page_{payment_id}"].state is CheckoutState.PAID
            assert (topup.state == "credited") == is_paid
            if is_paid:
                refunds = refunds_of(town, payment_id)
                refunded = sum(refund.amount.amount for refund in refunds if refund.state == "succeeded")
                bonus_back = returned_bonus(refunds)
                paid += topup.amount.amount - refunded
                bonuses += topup.bonus_amount - bonus_back
                for dispute in people.disputes_of(payment_id):
                    paid -= dispute.withheld + dispute.recovered
                    bonuses -= dispute.bonus_withheld
                if all(refund.state == "succeeded" for refund in refunds):
                    assert bonus_back == -(-topup.bonus_amount * refunded // topup.amount.amount)
        taken = sum(cdr.captured.amount for cdr in cdrs if cdr.driver_id == driver.driver_id and not cdr.enterprise_id)
        cash = wallets.cash_taken(town.ctx, driver.driver_id, town.operator_id, "EUR").amount
        assert balances[wallet] == paid + bonuses + cash - taken
        assert wallets.available(town.ctx, driver.driver_id, "EUR").amount == balances[wallet]


def check_enterprise(town: Town, cdrs: list[Cdr], balances: Counter[str]) -> None:
    """Its credit is the limit less what it took, also as its member's month counts it; all of it is to be invoiced."""
    taken = sum(cdr.captured.amount for cdr in cdrs if cdr.enterprise_id == town.enterprise_id)
    assert balances[f"enterprise:{town.enterprise_id}:EUR"] == CREDIT - taken
    assert balances[f"receivable:{town.operator_id}:EUR"] == taken
    months = (USAGES.get(town.ctx, *usage_key(town.enterprise_id, town.drivers[EMPLOYEE].driver_id, m)) for m in MONTHS)
    assert sum(month.used for month in months if month is not None) == taken


def check_provider(town: Town, people: Bank, balances: Counter[str]) -> None:
    """What the provider took, kept and paid back is what our accounts of it say; nothing is under way."""
    provider = town.till.provider
    stored = [payments.require_payment(town.ctx, payment_id) for payment_id in people.payments]
    assert not [payment for payment in stored if payment.work not in (None, "fee")]
    assert all(payment.captured == captured_at(town, payment) for payment in stored)
    taken = [outcome.captured.amount for outcome in provider.outcomes.values() if outcome.captured is not None]
    succeeded = [ref for ref, outcome in provider.refunds.items() if outcome.state is RefundState.SUCCEEDED]
    paid_back = sum(provider.refund_requests[ref].amount.amount for ref in succeeded)
    owed_to_guests = sum(
        refund.amount.amount
        for payment in stored
        for refund in refunds_of(town, payment.payment_id)
        if refund.state == "failed" and not refund.is_of_wallet
    )
    lines = [line for dispute in provider.disputes.values() for line in dispute.lines]
    fees = FEE * len(taken) + sum(line.fee.amount for line in lines if line.fee)
    assert balances["fees:stripe:EUR"] == -fees
    paid_out = [ref for ref, outcome in provider.payouts.items() if outcome.state is PayoutState.PAID]
    left = paid_back + sum(provider.payout_requests[ref].amount.amount for ref in paid_out)
    assert balances["clearing:stripe:EUR"] == left - sum(taken) - sum(line.amount.amount for line in lines) + fees
    assert balances["captures:stripe:EUR"] == 0
    assert balances["refunds:stripe:EUR"] == owed_to_guests


def check_disputes(town: Town, people: Bank, balances: Counter[str]) -> None:
    """All are decided and known as the bank decided; what was lost is somebody's, and nothing is in between."""
    there = {ref: dispute.state.value for ref, dispute in town.till.provider.disputes.items()}
    assert {dispute.dispute_ref: dispute.state for dispute in people.disputes()} == there
    assert not [dispute for dispute in people.disputes() if dispute.is_unfinished]
    lost = [dispute for dispute in people.disputes() if dispute.state == "lost"]
    made_good = sum(dispute.withheld + dispute.recovered + dispute.borne for dispute in lost)
    assert balances[f"losses:{PLATFORM_ID}:EUR"] == made_good - sum(dispute.taken_amount for dispute in lost)
    assert balances["disputes:stripe:EUR"] == 0
    for driver in town.drivers:
        blocks = [each for each in lost if each.payer_id == driver.driver_id and each.uncovered.amount]
        assert wallets.is_disputed(town.ctx, driver.driver_id, "EUR") == bool(blocks)


def check_settlement(town: Town, people: Bank, balances: Counter[str]) -> None:
    """No run ever disagreed with the ledger; nothing is left to settle; nobody got more than was there."""
    assert list(settlement.pending_runs(town.ctx)) == []
    runs = list(settlement.runs_between(town.ctx, town.operator_id, "2026-01-01", "2027-01-01"))
    assert [run for run in runs if run.state != "posted" or run.difference] == []
    for name in ("income", "cash", "promotion"):
        assert balances[f"{name}:{town.operator_id}:EUR"] == 0
    exposure = EXPOSURES.get(town.ctx, *exposure_key(town.operator_id, "EUR"))
    assert exposure is None or exposure.unsettled == 0, "all that the operator owed is settled"
    asked = [w for w in people.withdrawals() if w.state not in ("rejected", "failed")]
    net = sum(line.net for run in runs for line in run.lines)
    assert balances[f"payable:{town.operator_id}:EUR"] == net - sum(w.amount.amount for w in asked)
    assert balances[f"payable:{PLATFORM_ID}:EUR"] == sum(line.deducted for run in runs for line in run.lines)
    open_still = sum(w.amount.amount for w in asked if w.state != "paid")
    assert balances[f"withdrawals:{town.operator_id}:EUR"] == open_still
    by_bank = sum(w.amount.amount for w in asked if (w.state, w.method) == ("paid", "bank"))
    assert balances["clearing:bank:EUR"] == by_bank
    assert ledger.balance(town.ctx, f"payable:{town.operator_id}:EUR").amount == net - sum(
        w.amount.amount for w in asked
    )


def captured_at(town: Town, payment: Payment) -> object:
    outcome = town.till.provider.outcomes.get(page(payment))
    return None if outcome is None else outcome.captured


def refunds_of(town: Town, payment_id: str) -> list[Refund]:
    return payments.list_refunds(town.ctx, payment_id, limit=100).data


def returned_bonus(refunds: list[Refund]) -> int:
    """What of the bonus went back with the money, refunds that failed not counted."""
    return sum(posting.amount for refund in refunds if refund.state != "failed" for posting in refund.beside)


def all_entries(town: Town) -> Iterator[Entry]:
    for line in LINES.scan_all(town.ctx):
        if line.entry_id and line.postings:
            entry = ENTRIES.get(town.ctx, line.pk, line.sk)
            assert entry is not None
            yield entry


def sums(entries: list[Entry]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for entry in entries:
        for posting in entry.postings:
            totals[posting.account_id] += posting.amount
    return totals
