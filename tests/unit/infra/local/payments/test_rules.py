"""The payment fake is no more lenient than Stripe: captures, refunds, transfers, payouts, keys, lists."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from infra.local.payments import Call
from infra.local.payments.parameters import StripeError
from infra.local.payments.store import Store
from tests.unit.infra.local.payments.stand import START, Stand

CAPTURE = "/v1/payment_intents/{id}/capture"
CANCEL = "/v1/payment_intents/{id}/cancel"
REFUNDS = "/v1/refunds"
TRANSFERS = "/v1/transfers"
PAYOUTS = "/v1/payouts"
DAY_S = 24 * 3600


def refusal(stand: Stand, endpoint: str, form: dict[str, str] | None = None, **about: Any) -> StripeError:
    with pytest.raises(StripeError) as refused:
        stand.api(endpoint, form, **about)
    return refused.value


def earn(stand: Stand, amount: int = 5000) -> str:
    """A captured payment: its PaymentIntent."""
    intent = stand.authorize(amount)
    stand.api(CAPTURE, object_id=intent)
    return intent


def move(stand: Stand, account: str, amount: int = 3000) -> str:
    form = {"amount": str(amount), "currency": "eur", "destination": account, "transfer_group": "wdr_1"}
    return str(stand.api(TRANSFERS, form)["id"])


class TestIntents:
    def test_an_authorisation_has_no_money_in_the_balance(self, stand: Stand) -> None:
        intent = stand.read("payment_intent", stand.authorize())
        assert (intent["status"], intent["amount_capturable"], intent["amount_received"]) == (
            "requires_capture",
            5000,
            0,
        )
        charge = stand.read("charge", intent["latest_charge"])
        assert (charge["captured"], charge["paid"], charge["balance_transaction"]) == (False, True, None)
        capture_before = int(START.timestamp()) + 7 * DAY_S
        assert charge["payment_method_details"]["card"]["capture_before"] == capture_before
        assert stand.told() == ["checkout.session.completed"]

    def test_a_part_is_captured_and_the_rest_released(self, stand: Stand) -> None:
        intent = stand.api(CAPTURE, {"amount_to_capture": "1234"}, object_id=stand.authorize())
        assert (intent["status"], intent["amount_capturable"], intent["amount_received"]) == ("succeeded", 0, 1234)
        charge = stand.read("charge", intent["latest_charge"])
        assert (charge["amount"], charge["amount_captured"], charge["amount_refunded"]) == (5000, 1234, 3766)
        listed = stand.fake.list_objects("balance_transaction", (), Call(path="/v1/balance_transactions"))
        lines = [(line["reporting_category"], line["amount"], line["fee"]) for line in listed["data"]]
        assert lines == [("partial_capture_reversal", -3766, -56), ("charge", 5000, 100)]
        assert stand.told()[1:] == ["charge.captured", "refund.created"]
        # No more than was captured can be refunded.
        assert stand.api(REFUNDS, {"payment_intent": intent["id"]})["amount"] == 1234

    @pytest.mark.parametrize(
        ("amount", "code"), [("5001", "amount_too_large"), ("0", "parameter_invalid_integer"), ("x", None)]
    )
    def test_not_more_than_is_reserved(self, stand: Stand, amount: str, code: str | None) -> None:
        refused = refusal(stand, CAPTURE, {"amount_to_capture": amount}, object_id=stand.authorize())
        assert refused.param == "amount_to_capture"
        assert code is None or refused.code == code

    def test_only_once(self, stand: Stand) -> None:
        intent = earn(stand)
        assert refusal(stand, CAPTURE, object_id=intent).code == "payment_intent_unexpected_state"
        assert refusal(stand, CANCEL, object_id=intent).code == "payment_intent_unexpected_state"

    def test_what_was_cancelled_is_gone(self, stand: Stand) -> None:
        intent = stand.authorize()
        canceled = stand.api(CANCEL, {"cancellation_reason": "abandoned"}, object_id=intent)
        assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", "abandoned")
        assert refusal(stand, CAPTURE, object_id=intent).code == "payment_intent_unexpected_state"
        assert refusal(stand, CANCEL, object_id=intent).code == "payment_intent_unexpected_state"
        assert stand.told()[1:] == ["payment_intent.canceled"]

    def test_the_payment_of_an_open_page_is_not_cancelled(self, stand: Stand) -> None:
        session_id = stand.open_checkout()
        stand.fake.act(session_id, "fail")
        intent = stand.fake.payers.page(session_id)[0]["payment_intent"]
        assert "open Checkout Session" in refusal(stand, CANCEL, object_id=intent).message
        assert refusal(stand, CANCEL, {"cancellation_reason": "whim"}, object_id=intent).param == "cancellation_reason"

    def test_an_authorisation_runs_out_after_a_week(self, stand: Stand) -> None:
        intent = stand.authorize()
        stand.clock.advance(7 * DAY_S - 1)
        assert stand.read("payment_intent", intent)["status"] == "requires_capture"
        stand.clock.advance(1)
        run_out = stand.read("payment_intent", intent)
        assert (run_out["status"], run_out["cancellation_reason"]) == ("canceled", "automatic")
        assert stand.told()[1:] == ["payment_intent.canceled"]


class TestRefunds:
    def test_of_what_was_not_captured(self, stand: Stand) -> None:
        refused = refusal(stand, REFUNDS, {"payment_intent": stand.authorize()})
        assert "successful charge" in refused.message
        assert refusal(stand, REFUNDS, {"payment_intent": "pi_unknown"}).code == "resource_missing"
        assert refusal(stand, REFUNDS).code == "parameter_missing"

    def test_more_than_is_left(self, stand: Stand) -> None:
        intent = earn(stand)
        refund = stand.api(REFUNDS, {"payment_intent": intent, "amount": "4999"})
        assert refund["status"] == "succeeded"
        assert "greater than unrefunded" in refusal(stand, REFUNDS, {"payment_intent": intent, "amount": "2"}).message
        assert stand.api(REFUNDS, {"payment_intent": intent})["amount"] == 1
        assert refusal(stand, REFUNDS, {"payment_intent": intent}).code == "charge_already_refunded"
        charge = stand.read("charge", stand.read("payment_intent", intent)["latest_charge"])
        assert (charge["amount_refunded"], charge["refunded"]) == (5000, True)

    def test_of_disputed_money(self, stand: Stand) -> None:
        intent = earn(stand)
        stand.fake.disputes.begin("pay_1")
        assert refusal(stand, REFUNDS, {"payment_intent": intent}).code == "charge_disputed"
        assert stand.told()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]

    def test_of_money_that_a_bank_only_asks_about(self, stand: Stand) -> None:
        intent = earn(stand)
        inquiry = stand.fake.disputes.inquire("pay_1")
        assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
        assert stand.api(REFUNDS, {"payment_intent": intent, "amount": "100"})["status"] == "succeeded"
        assert stand.fake.disputes.decide("pay_1", won=True)["status"] == "warning_closed"

    def test_of_money_that_came_back(self, stand: Stand) -> None:
        intent = earn(stand)
        stand.fake.disputes.begin("pay_1")
        won = stand.fake.disputes.decide("pay_1", won=True)
        assert [line["amount"] for line in won["balance_transactions"]] == [-5000, 5000]
        assert stand.told()[-2:] == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]
        assert stand.api(REFUNDS, {"payment_intent": intent})["status"] == "succeeded"

    @pytest.mark.parametrize("form", [{"amount": "0"}, {"reason": "whim"}, {"amount": "1.5"}])
    def test_parameters(self, stand: Stand, form: dict[str, str]) -> None:
        assert refusal(stand, REFUNDS, {"payment_intent": earn(stand), **form}).param in form


class TestConnect:
    def test_no_transfer_before_the_payee_told_everything(self, stand: Stand) -> None:
        earn(stand)
        account = stand.open_account(finished=False)
        form = {"amount": "100", "currency": "eur", "destination": account}
        assert refusal(stand, TRANSFERS, form).code == "insufficient_capabilities_for_transfer"
        refused = refusal(stand, TRANSFERS, form | {"destination": "acct_unknown"})
        assert (refused.code, refused.param) == ("resource_missing", "destination")

    def test_not_more_than_the_balance(self, stand: Stand) -> None:
        earn(stand)  # 50.00 less 1.00
        account = stand.open_account()
        form = {"amount": "4901", "currency": "eur", "destination": account}
        assert refusal(stand, TRANSFERS, form).code == "balance_insufficient"
        assert stand.api(TRANSFERS, form | {"amount": "4900"})["amount"] == 4900
        assert refusal(stand, TRANSFERS, form | {"currency": "usd"}).code == "balance_insufficient"
        payout = {"amount": "4901", "currency": "eur"}
        assert refusal(stand, PAYOUTS, payout, account=account).code == "balance_insufficient"

    def test_a_payees_objects_are_seen_by_their_account_alone(self, stand: Stand) -> None:
        earn(stand)
        account = stand.open_account()
        move(stand, account)
        payout = stand.api(PAYOUTS, {"amount": "3000", "currency": "eur"}, account=account)
        assert stand.read("payout", payout["id"], account)["status"] == "pending"
        for other in (None, stand.open_account()):
            with pytest.raises(StripeError) as refused:
                stand.read("payout", payout["id"], other)
            assert refused.value.code == "resource_missing"
        stranger = refusal(stand, PAYOUTS, {"amount": "1", "currency": "eur"}, account="acct_unknown")
        assert (stranger.status, stranger.code) == (403, "account_invalid")

    def test_a_transfer_is_reversed_once(self, stand: Stand) -> None:
        earn(stand)
        account = stand.open_account()
        transfer = move(stand, account)
        reversals = f"{TRANSFERS}/{{id}}/reversals"
        assert refusal(stand, reversals, {"amount": "3001"}, object_id=transfer).param == "amount"
        assert stand.api(reversals, {"amount": "1000"}, object_id=transfer)["amount"] == 1000
        stand.api(reversals, object_id=transfer)
        assert stand.read("transfer", transfer)["reversed"]
        assert "fully reversed" in refusal(stand, reversals, object_id=transfer).message

    def test_money_that_was_paid_out_cannot_be_reversed(self, stand: Stand) -> None:
        earn(stand)
        account = stand.open_account()
        transfer = move(stand, account)
        stand.api(PAYOUTS, {"amount": "3000", "currency": "eur"}, account=account)
        refused = refusal(stand, f"{TRANSFERS}/{{id}}/reversals", object_id=transfer)
        assert refused.code == "balance_insufficient"

    @pytest.mark.parametrize("country", ["Germany", "de", "D"])
    def test_countries(self, stand: Stand, country: str) -> None:
        assert refusal(stand, "/v1/accounts", {"country": country}).param == "country"


class TestKeys:
    """Idempotency keys hold for every POST."""

    def test_the_same_request_is_done_once(self, stand: Stand) -> None:
        form = {"payment_intent": earn(stand), "amount": "100"}
        first = stand.api(REFUNDS, form, key="k")
        assert stand.api(REFUNDS, form, key="k") == first
        stand.clock.advance(DAY_S + 1)
        assert stand.api(REFUNDS, form, key="k")["id"] != first["id"]

    def test_another_request_is_refused(self, stand: Stand) -> None:
        intent = earn(stand)
        stand.api(REFUNDS, {"payment_intent": intent, "amount": "100"}, key="k")
        assert refusal(stand, REFUNDS, {"payment_intent": intent}, key="k").kind == "idempotency_error"
        assert refusal(stand, CANCEL, object_id=intent, key="k").kind == "idempotency_error"

    def test_a_key_belongs_to_one_address(self, stand: Stand) -> None:
        stand.api(CAPTURE, object_id=stand.authorize(), key="k")
        other = stand.authorize()
        assert refusal(stand, CAPTURE, object_id=other, key="k").kind == "idempotency_error"
        assert refusal(stand, CANCEL, object_id=other, key="k").kind == "idempotency_error"

    def test_a_refusal_of_the_work_is_kept_one_of_the_parameters_is_not(self, stand: Stand) -> None:
        account = stand.open_account()
        form = {"amount": "100", "currency": "eur", "destination": account}
        assert refusal(stand, TRANSFERS, form, key="k").code == "balance_insufficient"
        earn(stand)
        assert refusal(stand, TRANSFERS, form, key="k").code == "balance_insufficient"
        assert refusal(stand, TRANSFERS, form | {"surprise": "1"}, key="k2").code == "parameter_unknown"
        assert stand.api(TRANSFERS, form, key="k2")["amount"] == 100


class TestLists:
    def page(self, stand: Stand, kind: str = "refund", **query: str) -> dict[str, Any]:
        pairs = list(query.items())
        return stand.fake.list_objects(kind, ("payment_intent",), Call(path="/v1/x", pairs=pairs))

    def test_walk_by_cursor_newest_first(self, stand: Stand) -> None:
        intent = earn(stand)
        ids = [stand.api(REFUNDS, {"payment_intent": intent, "amount": "1"})["id"] for _ in range(5)][::-1]
        first = self.page(stand, limit="2")
        assert ([each["id"] for each in first["data"]], first["has_more"]) == (ids[:2], True)
        second = self.page(stand, limit="3", starting_after=ids[1])
        assert ([each["id"] for each in second["data"]], second["has_more"]) == (ids[2:], False)
        back = self.page(stand, limit="2", ending_before=ids[3])
        assert ([each["id"] for each in back["data"]], back["has_more"]) == (ids[1:3], True)

    def test_filters(self, stand: Stand) -> None:
        intent = earn(stand)
        stand.api(REFUNDS, {"payment_intent": intent, "amount": "1"})
        now_s = int(START.timestamp())
        assert len(self.page(stand, payment_intent=intent)["data"]) == 1
        assert self.page(stand, payment_intent="pi_other")["data"] == []
        assert len(self.page(stand, **{"created[gte]": str(now_s), "created[lt]": str(now_s + 1)})["data"]) == 1
        assert self.page(stand, **{"created[lt]": str(now_s)})["data"] == []

    def test_expansion_reaches_into_the_list(self, stand: Stand) -> None:
        earn(stand)
        [line] = self.page(stand, "balance_transaction", **{"expand[]": "data.source"})["data"]
        assert line["source"]["metadata"] == {"payment_id": "pay_1"}

    @pytest.mark.parametrize(
        ("query", "param"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "101"}, "limit"),
            ({"starting_after": "re_unknown"}, "starting_after"),
            ({"status": "failed"}, "status"),
            ({"expand[]": "data.customer"}, "expand"),
        ],
    )
    def test_refusals(self, stand: Stand, query: dict[str, str], param: str) -> None:
        stand.api(REFUNDS, {"payment_intent": earn(stand)})
        with pytest.raises(StripeError) as refused:
            self.page(stand, **query)
        assert refused.value.param == param


def test_everything_outlives_a_kill(stand: Stand) -> None:
    intent = stand.authorize()
    stand.reopen()
    stand.clock.advance(7 * DAY_S)
    stand.reopen()
    assert stand.read("payment_intent", intent)["status"] == "canceled"


def test_a_file_of_the_version_before_is_read(tmp_path: Any) -> None:
    path = tmp_path / "payments.sqlite"
    db = sqlite3.connect(path)
    db.executescript(
        """
        CREATE TABLE objects (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            payment_id TEXT, open_until INTEGER, body TEXT NOT NULL);
        CREATE INDEX objects_by_payment ON objects (payment_id) WHERE payment_id IS NOT NULL;
        CREATE INDEX objects_open ON objects (open_until) WHERE open_until IS NOT NULL;
        CREATE TABLE idempotency_keys (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT NOT NULL,
            created_at INTEGER NOT NULL) WITHOUT ROWID;
        """
    )
    session = {"id": "cs_1", "object": "checkout.session", "status": "open", "expires_at": 50}
    db.execute("INSERT INTO objects VALUES (1, 'cs_1', 'checkout.session', 'pay_1', 50, ?)", (json.dumps(session),))
    db.execute("INSERT INTO idempotency_keys VALUES ('k', 'f', '{}', 40)")
    db.commit()
    db.close()
    for _ in range(2):  # and again, now that it is of this version
        store = Store(path)
        assert store.find_by_our_id("checkout.session", "pay_1") == [session]
        assert store.first_due() == 50
        answer = store.find_answer("k", 0)
        assert answer is not None
        assert answer.status == 200
        store.close()
