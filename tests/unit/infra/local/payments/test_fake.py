"""The payment fake by itself: the page a payer clicks, the lever of tests, notifications that outlive a kill."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from infra.local.payments import HttpDelivery, PayerConflict, StripeFake, UnknownPayment, sign
from infra.local.payments.parameters import FREE, INTEGER, TEXT, Shape, StripeError, read_parameters
from infra.local.payments.webhooks import MAX_ATTEMPTS, retry_delay_s
from tests.unit.infra.local.payments.stand import SECRET, START, Stand, click, get, pull_lever


class TestPage:
    async def test_shows_what_is_to_be_paid(self, stand: Stand, origin: str) -> None:
        status, html = await get(f"{origin}/_local/pay/{stand.open_checkout()}")
        assert status == 200
        assert "12.34 EUR" in html
        assert "Top-up &lt;b&gt;of&lt;/b&gt; your wallet" in html
        assert "driver@example.com" in html
        for action in ("pay", "debit", "decline", "cancel"):
            assert f'value="{action}"' in html
        assert "<script" not in html

    async def test_paying_tells_the_product_and_sends_the_payer_on(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout()
        page = f"{origin}/_local/pay/{session_id}"
        assert await click(page, "pay") == (303, f"https://app.example/ok?ref={session_id}")
        assert [event["type"] for event in stand.inbox.received] == ["checkout.session.completed"]
        assert stand.told_before_answer == 1
        assert await click(page, "pay") == (303, f"https://app.example/ok?ref={session_id}")
        assert await click(page, "decline") == (303, f"https://app.example/ok?ref={session_id}")
        assert len(stand.inbox.received) == 1
        assert "has been paid" in (await get(page))[1]

    async def test_a_declined_card_leads_back_to_the_page(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout()
        page = f"{origin}/_local/pay/{session_id}"
        status, location = await click(page, "decline")
        assert (status, urlsplit(location).path) == (303, f"/_local/pay/{session_id}")
        assert "Your card was declined." in (await get(page))[1]
        assert [event["type"] for event in stand.inbox.received] == ["payment_intent.payment_failed"]
        assert (await click(page, "pay"))[0] == 303
        assert stand.inbox.received[1]["type"] == "checkout.session.completed"

    async def test_a_bank_debit_sends_the_payer_on_and_waits_for_the_bank(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout()
        page = f"{origin}/_local/pay/{session_id}"
        for _ in range(2):
            assert await click(page, "debit") == (303, f"https://app.example/ok?ref={session_id}")
        assert "The bank has been asked" in (await get(page))[1]
        assert (await click(page, "decline"))[0] == 303
        assert "The bank refused the debit." in (await get(page))[1]
        assert (await click(page, "pay"))[0] == 303
        assert [event["type"] for event in stand.inbox.received] == [
            "checkout.session.completed",
            "payment_intent.payment_failed",
            "checkout.session.async_payment_failed",
        ]
        stand.clock.advance(25 * 3600)
        assert await stand.fake.deliver_due() == 0

    async def test_cancelling_changes_nothing(self, stand: Stand, origin: str) -> None:
        page = f"{origin}/_local/pay/{stand.open_checkout()}"
        assert await click(page, "cancel") == (303, "https://app.example/cancelled")
        assert stand.inbox.received == []
        assert 'value="pay"' in (await get(page))[1]

    async def test_an_expired_page_takes_no_money(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout()
        page = f"{origin}/_local/pay/{session_id}"
        stand.clock.advance(24 * 3600)
        status, location = await click(page, "pay")
        assert (status, urlsplit(location).path) == (303, f"/_local/pay/{session_id}")
        html = (await get(page))[1]
        assert "has expired" in html
        assert 'value="pay"' not in html

    async def test_unknown_pages_and_actions(self, stand: Stand, origin: str) -> None:
        assert (await get(f"{origin}/_local/pay/cs_test_unknown"))[0] == 404
        assert (await click(f"{origin}/_local/pay/cs_test_unknown", "pay"))[0] == 404
        assert (await click(f"{origin}/_local/pay/{stand.open_checkout()}", "steal"))[0] == 400
        assert stand.inbox.received == []


class TestLever:
    async def test_success(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout()
        answer = {
            "payment_id": "pay_1",
            "checkout_id": session_id,
            "status": "complete",
            "payment_status": "paid",
        }
        assert await pull_lever(origin, "pay_1", {"outcome": "succeed"}) == (200, answer)
        assert await pull_lever(origin, "pay_1", {"outcome": "succeed"}) == (200, answer)
        assert len(stand.inbox.received) == 1
        assert stand.told_before_answer == 1
        assert (await pull_lever(origin, "pay_1", {"outcome": "fail"}))[0] == 409

    async def test_failure(self, stand: Stand, origin: str) -> None:
        stand.open_checkout()
        status, answer = await pull_lever(origin, "pay_1", {"outcome": "fail"})
        assert (status, answer["status"], answer["payment_status"]) == (200, "open", "unpaid")
        assert [event["type"] for event in stand.inbox.received] == ["payment_intent.payment_failed"]

    async def test_the_newest_checkout_of_the_payment_that_has_not_expired(self, stand: Stand, origin: str) -> None:
        first = stand.open_checkout()
        stand.expire(stand.open_checkout())
        assert (await pull_lever(origin, "pay_1", {"outcome": "succeed"}))[1]["checkout_id"] == first
        third = stand.open_checkout()
        for _ in range(2):
            assert (await pull_lever(origin, "pay_1", {"outcome": "succeed"}))[1]["checkout_id"] == third
        kinds = [event["type"] for event in stand.inbox.received]
        assert kinds == ["checkout.session.expired", "checkout.session.completed", "checkout.session.completed"]

    async def test_the_banks_word_on_a_debit_is_final(self, stand: Stand, origin: str) -> None:
        session_id = stand.open_checkout()
        stand.fake.act(session_id, "debit")
        stand.expire(stand.open_checkout())
        status, answer = await pull_lever(origin, "pay_1", {"outcome": "succeed"})
        assert (status, answer["checkout_id"], answer["payment_status"]) == (200, session_id, "paid")
        with pytest.raises(PayerConflict):
            stand.fake.act(session_id, "fail")

    @pytest.mark.parametrize("body", [None, [], {}, {"outcome": "maybe"}, {"outcome": "fail", "more": 1}, "succeed"])
    async def test_a_body_of_no_shape(self, stand: Stand, origin: str, body: object) -> None:
        stand.open_checkout()
        status, problem = await pull_lever(origin, "pay_1", body)
        assert (status, problem["code"]) == (400, "outcome.invalid")
        assert stand.inbox.received == []

    async def test_an_unknown_payment(self, stand: Stand, origin: str) -> None:
        status, problem = await pull_lever(origin, "pay_2", {"outcome": "succeed"})
        assert (status, problem["code"]) == (404, "payment.not_found")

    def test_an_expired_checkout(self, stand: Stand) -> None:
        stand.open_checkout()
        stand.clock.advance(24 * 3600)
        with pytest.raises(PayerConflict):
            stand.fake.act_on_payment("pay_1", "succeed")
        with pytest.raises(UnknownPayment):
            stand.fake.act_on_payment("pay_2", "succeed")


class TestNotifications:
    def test_the_pauses_grow_and_end(self) -> None:
        delays = [retry_delay_s(attempts) for attempts in range(1, MAX_ATTEMPTS + 1)]
        assert delays == [30, 120, 480, 1920, 7680, 30720, 122880, None]

    async def test_repeated_on_the_clock_and_signed_anew(self, stand: Stand) -> None:
        stand.open_checkout()
        stand.inbox.failures = 2
        stand.fake.act_on_payment("pay_1", "succeed")
        assert stand.fake.next_due() == START
        assert await stand.fake.deliver_due() == 1
        assert stand.fake.next_due() == START + timedelta(seconds=30)
        assert await stand.fake.deliver_due() == 0
        stand.clock.advance(30)
        assert await stand.fake.deliver_due() == 1
        assert stand.fake.next_due() == START + timedelta(seconds=150)
        stand.clock.advance(120)
        assert await stand.fake.deliver_due() == 1
        assert stand.fake.next_due() is None
        assert len({str(event["id"]) for event in stand.inbox.received}) == 1
        times = [int(signature.split(",")[0].removeprefix("t=")) for signature in stand.inbox.signatures]
        assert [moment - int(START.timestamp()) for moment in times] == [0, 30, 150]
        [event] = stand.fake.events()
        assert event.attempts == 3
        assert event.delivered_at == times[-1]
        assert event.last_error is None
        assert stand.inbox.signatures[2] == sign(event.body, SECRET, times[2])

    async def test_given_up_after_the_last_attempt(self, stand: Stand) -> None:
        stand.open_checkout()
        stand.inbox.failures = 1000
        stand.fake.act_on_payment("pay_1", "succeed")
        for _ in range(20):
            await stand.fake.deliver_due()
            stand.clock.advance(2 * 24 * 3600)
        assert len(stand.inbox.received) == MAX_ATTEMPTS
        assert stand.fake.next_due() is None
        [event] = stand.fake.events()
        assert event.delivered_at is None
        assert event.last_error == "ConnectionRefusedError: nobody there"

    async def test_killed_between_click_and_delivery(self, stand: Stand) -> None:
        stand.open_checkout(key="key-1")
        stand.fake.act_on_payment("pay_1", "succeed")
        stand.reopen()
        assert await stand.fake.deliver_due() == 1
        assert stand.inbox.received[0]["type"] == "checkout.session.completed"
        stand.reopen()
        assert await stand.fake.deliver_due() == 0
        assert stand.open_checkout(key="key-1") == stand.inbox.received[0]["data"]["object"]["id"]  # type: ignore[index]

    async def test_a_restart_tries_again_at_once(self, stand: Stand) -> None:
        stand.open_checkout()
        stand.inbox.failures = 1
        stand.fake.act_on_payment("pay_1", "succeed")
        await stand.fake.deliver_due()
        stand.reopen()
        assert await stand.fake.deliver_due() == 1

    async def test_pages_expire_when_their_time_comes(self, stand: Stand) -> None:
        expires_at = START + timedelta(minutes=30)
        session_id = stand.open_checkout(expires_at=str(int(expires_at.timestamp())))
        assert stand.fake.next_due() == expires_at
        stand.clock.advance(1799)
        assert await stand.fake.deliver_due() == 0
        stand.clock.advance(1)
        assert await stand.fake.deliver_due() == 1
        assert stand.inbox.received[0]["type"] == "checkout.session.expired"
        assert stand.fake.payers.page(session_id)[0]["status"] == "expired"
        assert stand.fake.next_due() is None

    @pytest.mark.parametrize(("status", "delivered"), [(200, True), (204, True), (302, False), (400, False)])
    async def test_posts_to_an_address(self, stand: Stand, status: int, *, delivered: bool) -> None:
        seen: list[tuple[bytes, str, str]] = []

        async def webhook(request: web.Request) -> web.Response:
            seen.append((await request.read(), request.headers["Stripe-Signature"], request.content_type))
            return web.Response(status=status, headers={"Location": "/elsewhere"})

        app = web.Application()
        app.add_routes([web.post("/hook", webhook)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        deliver = HttpDelivery(lambda: f"http://{host}:{port}/hook")
        fake = StripeFake(stand.clock.now, deliver, api_key="sk_test_unit", webhook_secret=SECRET, path=stand.path)
        stand.open_checkout()
        fake.act_on_payment("pay_1", "succeed")
        assert await fake.deliver_due() == 1
        await runner.cleanup()
        [event] = fake.events()
        assert seen == [(event.body, sign(event.body, SECRET, int(START.timestamp())), "application/json")]
        assert (event.delivered_at is not None) == delivered


class TestParameters:
    def test_nesting(self) -> None:
        shape: dict[str, Shape] = {"a": TEXT, "b": [{"c": INTEGER}], "expand": [TEXT], "m": FREE}
        pairs = [("a", "1"), ("b[1][c]", "3"), ("b[0][c]", "2"), ("expand[]", "x"), ("expand[]", "y"), ("m[k]", "")]
        assert read_parameters(pairs, shape) == {
            "a": "1",
            "b": [{"c": 2}, {"c": 3}],
            "expand": ["x", "y"],
            "m": {"k": ""},
        }

    @pytest.mark.parametrize(
        "pairs",
        [
            [("a", "1"), ("a", "2")],
            [("a", "1"), ("a[b]", "2")],
            [("b[x]", "1")],
            [("a]", "1")],
            [("b[0][c]", "1e3")],
            [("m[k][l]", "1")],
            [(f"m[{number}]", "1") for number in range(51)],
        ],
    )
    def test_refusals(self, pairs: list[tuple[str, str]]) -> None:
        with pytest.raises(StripeError):
            read_parameters(pairs, {"a": TEXT, "b": [{"c": INTEGER}], "m": FREE})

    def test_limits(self) -> None:
        shape: dict[str, Shape] = {"expand": [TEXT], "a": FREE}
        at_most = [(f"expand[{number}]", "x") for number in range(500)]
        assert len(read_parameters(at_most, shape)["expand"]) == 500
        with pytest.raises(StripeError, match="Too many"):
            read_parameters([*at_most, ("expand[500]", "x")], shape)
        with pytest.raises(StripeError, match="Invalid parameter name"):
            read_parameters([("a[b][c][d][e][f][g]", "1")], shape)
