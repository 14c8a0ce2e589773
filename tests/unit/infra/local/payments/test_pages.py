"""What people click in the payment fake: a reservation, a refused card in each of its ways, a payee's onboarding."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.unit.infra.local.payments.stand import FORM, Stand, click, get, pull_lever

MANUAL = {"payment_intent_data[capture_method]": "manual"}


def page_of(origin: str, session_id: str) -> str:
    return f"{origin}/_local/pay/{session_id}"


class TestReserving:
    async def test_says_that_nothing_is_taken(self, stand: Stand, origin: str) -> None:
        _, html = await get(page_of(origin, stand.open_checkout(**MANUAL)))
        assert "Reserve 12.34 EUR" in html
        assert "will be reserved, not taken" in html
        assert 'value="debit"' not in html
        assert "Pay 12.34 EUR" not in html

    async def test_leads_back_to_the_app(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout(**MANUAL)
        page = page_of(origin, session_id)
        for _ in range(2):
            assert await click(page, "pay") == (303, f"https://app.example/ok?ref={session_id}")
        assert stand.told() == ["checkout.session.completed"]
        assert "has been reserved" in (await get(page))[1]

    async def test_not_by_bank_debit(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout(**MANUAL)
        status, location = await click(page_of(origin, session_id), "debit")
        assert (status, urlsplit(location).path) == (303, f"/_local/pay/{session_id}")
        assert stand.told() == []


class TestMethods:
    async def test_every_field_has_a_label_and_nothing_is_run(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout(customer_email="a@example.com")
        assert 'type="email"' not in (await get(page_of(origin, session_id)))[1]
        form = {name: text for name, text in FORM.items() if name != "customer_email"}
        guest = stand.api("/v1/checkout/sessions", form)["id"]
        _, html = await get(page_of(origin, guest))
        assert set(re.findall(r'<input id="(\w+)"', html)) == set(re.findall(r'<label for="(\w+)"', html)) == {"email"}
        assert "<script" not in html

    async def test_paypal_takes_and_is_said(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout()
        await click(page_of(origin, session_id), "paypal")
        session, _ = stand.fake.payers.page(session_id)
        intent = stand.read("payment_intent", session["payment_intent"])
        charge = stand.read("charge", intent["latest_charge"])
        assert (intent["status"], charge["payment_method_details"]["type"]) == ("succeeded", "paypal")

    @pytest.mark.parametrize(
        ("action", "code", "decline_code", "text"),
        [
            ("decline", "card_declined", "generic_decline", "Your card was declined."),
            ("insufficient_funds", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
            ("expired_card", "expired_card", None, "Your card has expired."),
            (
                "authentication_abandoned",
                "payment_intent_authentication_failure",
                None,
                "The provided PaymentMethod has failed authentication.",
            ),
        ],
    )
    async def test_a_refusal_says_why_and_another_try_is_possible(
        self, stand: Stand, origin: str, action: str, code: str, decline_code: str | None, text: str
    ) -> None:
        session_id = stand.open_checkout(**MANUAL)
        page = page_of(origin, session_id)
        await click(page, action)
        assert text in (await get(page))[1]
        session, _ = stand.fake.payers.page(session_id)
        error = stand.read("payment_intent", session["payment_intent"])["last_payment_error"]
        assert (error["code"], error.get("decline_code")) == (code, decline_code)
        assert (await click(page, "pay"))[1].startswith("https://app.example/ok")
        assert stand.told() == ["payment_intent.payment_failed", "checkout.session.completed"]


class TestOnboarding:
    async def test_a_payee_tells_everything_and_goes_back(self, stand: Stand, origin: str) -> None:
        account_id = stand.open_account(finished=False)
        path = f"{origin}/_local/stripe-connect/{account_id}?link={stand.link(account_id)['url'].split('link=')[1]}"
        status, html = await get(path)
        assert status == 200
        assert account_id in html
        assert "Stadtwerke &lt;b&gt;Nord&lt;/b&gt;" in html
        assert "<script" not in html
        assert await click(path, "finish") == (303, "https://app.example/done")
        assert stand.told() == ["account.updated"]
        assert stand.read("account", account_id)["payouts_enabled"]
        # The link was for one visit.
        assert await click(path, "finish") == (303, "https://app.example/again")

    async def test_later_changes_nothing(self, stand: Stand, origin: str) -> None:
        account_id = stand.open_account(finished=False)
        link = stand.link(account_id)["url"].split("link=")[1]
        path = f"{origin}/_local/stripe-connect/{account_id}?link={link}"
        assert await click(path, "later") == (303, "https://app.example/done")
        assert not stand.read("account", account_id)["payouts_enabled"]
        assert stand.told() == []

    async def test_a_link_lives_five_minutes_and_belongs_to_one_account(self, stand: Stand, origin: str) -> None:
        account_id = stand.open_account(finished=False)
        link = stand.link(account_id)["url"].split("link=")[1]
        other = stand.open_account(finished=False)
        for path in (f"{other}?link={link}", f"{account_id}?link=link_unknown", account_id):
            assert (await get(f"{origin}/_local/stripe-connect/{path}"))[0] == 404
            assert (await click(f"{origin}/_local/stripe-connect/{path}", "finish"))[0] == 404
        assert (await click(f"{origin}/_local/stripe-connect/{account_id}?link={link}", "steal"))[0] == 400
        stand.clock.advance(5 * 60)
        late = await click(f"{origin}/_local/stripe-connect/{account_id}?link={link}", "finish")
        assert late == (303, "https://app.example/again")
        assert not stand.read("account", account_id)["payouts_enabled"]


class TestLevers:
    async def test_a_refund_is_sent_back(self, stand: Stand, origin: str) -> None:
        intent = stand.authorize()
        stand.api("/v1/payment_intents/{id}/capture", object_id=intent)
        stand.api("/v1/refunds", {"payment_intent": intent, "metadata[refund_id]": "ref_1"})
        status, answer = await pull_lever(origin, "ref_1", {"outcome": "fail"}, "refunds")
        assert (status, answer["status"]) == (200, "failed")
        assert (await pull_lever(origin, "ref_1", {"outcome": "succeed"}, "refunds"))[0] == 409
        assert (await pull_lever(origin, "ref_2", {"outcome": "fail"}, "refunds"))[0] == 404
        assert (await pull_lever(origin, "ref_1", {"outcome": "debit"}, "refunds"))[0] == 400
        assert [event["type"] for event in stand.inbox.received][-1] == "refund.failed"

    async def test_a_payout_arrives_or_comes_back(self, stand: Stand, origin: str) -> None:
        stand.api("/v1/payment_intents/{id}/capture", object_id=stand.authorize())
        account_id = stand.open_account()
        form = {"amount": "3000", "currency": "eur"}
        stand.api("/v1/transfers", form | {"destination": account_id})
        stand.api("/v1/payouts", form | {"metadata[payout_id]": "wdr_1"}, account=account_id)
        for outcome, status in (("succeed", "paid"), ("succeed", "paid"), ("fail", "failed")):
            code, answer = await pull_lever(origin, "wdr_1", {"outcome": outcome}, "payouts")
            assert (code, answer["status"]) == (200, status)
        assert (await pull_lever(origin, "wdr_1", {"outcome": "fail"}, "payouts"))[0] == 409
        told = [(event["type"], event.get("account")) for event in stand.inbox.received]
        assert told[-2:] == [("payout.paid", account_id), ("payout.failed", account_id)]

    async def test_a_bank_wants_a_payment_back(self, stand: Stand, origin: str) -> None:
        intent = stand.authorize()
        assert (await pull_lever(origin, "pay_1", {"outcome": "dispute"}))[0] == 409
        stand.api("/v1/payment_intents/{id}/capture", object_id=intent)
        status, answer = await pull_lever(origin, "pay_1", {"outcome": "dispute"})
        assert (status, answer["status"]) == (200, "needs_response")
        assert (await pull_lever(origin, "pay_1", {"outcome": "dispute"}))[0] == 409
        status, answer = await pull_lever(origin, "pay_1", {"outcome": "dispute_lost"})
        assert (status, answer["status"]) == (200, "lost")
        assert (await pull_lever(origin, "pay_1", {"outcome": "dispute_won"}))[0] == 409

    async def test_a_reserved_payment_is_not_decided_again(self, stand: Stand, origin: str) -> None:
        stand.authorize()
        assert (await pull_lever(origin, "pay_1", {"outcome": "succeed"}))[0] == 200
        assert (await pull_lever(origin, "pay_1", {"outcome": "fail"}))[0] == 409
        assert len(stand.told()) == 1
