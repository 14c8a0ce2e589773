"""What only Stripe has: its kinds of events, its units, its parameters; the fake is held to them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import aiohttp
import pytest
import stripe
from aiohttp import web

from chalicelib.kernel.context import Context, Settings
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.payments.providers import payment_provider
from chalicelib.payments.providers.port import (
    ProviderEventKind,
    ProviderEventRejected,
    ProviderRefused,
    ProviderUnavailable,
)
from chalicelib.payments.providers.stripe import StripeProvider, from_stripe_units, to_stripe_units
from infra.local.payments import sign
from tests.contract.payments.rigs import API_KEY, START, WEBHOOK_SECRET, StripeRig, checkout_request


@pytest.mark.parametrize(
    ("money", "units"),
    [
        (Money(1234, "EUR"), 1234),
        (Money(500, "JPY"), 500),
        (Money(5120, "KWD"), 5120),
        (Money(5, "ISK"), 500),
        (Money(5, "UGX"), 500),
        (Money(1200, "MGA"), 12),
    ],
)
def test_units_follow_stripes_table(money: Money, units: int) -> None:
    assert to_stripe_units(money) == units
    assert from_stripe_units(units, money.currency.lower()) == money


@pytest.mark.parametrize("money", [Money(5124, "KWD"), Money(1250, "MGA")])
def test_units_that_stripe_does_not_have(money: Money) -> None:
    with pytest.raises(ProviderRefused, match="more decimals"):
        to_stripe_units(money)
    assert to_stripe_units(StripeProvider.expressible(money)) > 0


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_not_asked_for(amount: int) -> None:
    # Stripe takes a total of 0 and opens a page without a payment.
    provider = StripeProvider(
        api_key=API_KEY, webhook_secret=WEBHOOK_SECRET, now=lambda: START, api_base="http://127.0.0.1:1"
    )
    with pytest.raises(ProviderRefused) as refused:
        provider.create_checkout(checkout_request(amount=amount))
    assert refused.value.reason == "amount_not_positive"


def test_a_fraction_of_a_krona_counts_as_one() -> None:
    assert from_stripe_units(101, "isk") == Money(2, "ISK")
    assert from_stripe_units(100, "isk") == Money(1, "ISK")


@pytest.mark.parametrize(
    ("provider_type", "payment_status", "kind"),
    [
        ("checkout.session.completed", "paid", ProviderEventKind.CHECKOUT_PAID),
        ("checkout.session.completed", "unpaid", ProviderEventKind.CHECKOUT_PENDING),
        ("checkout.session.async_payment_succeeded", "paid", ProviderEventKind.CHECKOUT_PAID),
        ("checkout.session.async_payment_failed", "unpaid", ProviderEventKind.CHECKOUT_FAILED),
        ("checkout.session.expired", "unpaid", ProviderEventKind.CHECKOUT_EXPIRED),
        ("charge.captured", "", ProviderEventKind.CHECKOUT_PAID),
        ("payment_intent.canceled", "", ProviderEventKind.AUTHORIZATION_RELEASED),
        ("refund.created", "", ProviderEventKind.REFUND_CHANGED),
        ("refund.failed", "", ProviderEventKind.REFUND_CHANGED),
        ("charge.dispute.created", "", ProviderEventKind.DISPUTE_OPENED),
        ("charge.dispute.closed", "", ProviderEventKind.DISPUTE_CHANGED),
        ("charge.dispute.funds_reinstated", "", ProviderEventKind.DISPUTE_CHANGED),
        ("charge.dispute.funds_withdrawn", "", ProviderEventKind.DISPUTE_CHANGED),
        ("charge.dispute.updated", "", ProviderEventKind.DISPUTE_CHANGED),
        ("account.updated", "", ProviderEventKind.PAYEE_CHANGED),
        # Without an account it is our own balance that goes to our own bank.
        ("payout.paid", "", ProviderEventKind.OTHER),
        ("customer.created", "", ProviderEventKind.OTHER),
    ],
)
def test_event_kinds(provider_type: str, payment_status: str, kind: ProviderEventKind) -> None:
    subject = {"id": "cs_1", "payment_status": payment_status, "metadata": {"payment_id": "pay_1"}}
    body = json.dumps({"id": "evt_1", "type": provider_type, "created": 1, "data": {"object": subject}}).encode()
    provider = StripeProvider(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET, now=lambda: START)
    # The package's own signature, so that it is Stripe's scheme and not only the fake's that is read.
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET, int(START.timestamp()))
    event = provider.parse_event(body, {"stripe-signature": header})
    assert event.kind is kind
    assert event.provider_ref == ("cs_1" if provider_type.startswith("checkout") else None)
    assert event.payment_id == "pay_1"


def test_either_of_two_secrets_may_have_signed() -> None:
    # Connected accounts' notifications are signed with another secret than our own.
    body = json.dumps({"id": "evt_1", "type": "x", "created": 1, "data": {"object": {}}}).encode()
    provider = StripeProvider(api_key=API_KEY, webhook_secret="whsec_a, whsec_b", now=lambda: START)
    for secret in ("whsec_a", "whsec_b"):
        header = sign(body, secret, int(START.timestamp()))
        assert provider.parse_event(body, {"Stripe-Signature": header}).id == "evt_1"
    with pytest.raises(ProviderEventRejected):
        provider.parse_event(body, {"Stripe-Signature": sign(body, "whsec_c", int(START.timestamp()))})


async def test_refusals_have_stripes_codes(stripe_rig: StripeRig) -> None:
    provider = stripe_rig.provider
    await asyncio.to_thread(provider.create_checkout, checkout_request())
    with pytest.raises(ProviderRefused) as refused:
        await asyncio.to_thread(provider.create_checkout, checkout_request(amount=9900))
    assert refused.value.reason == "idempotency_error"
    with pytest.raises(ProviderRefused) as refused:
        await asyncio.to_thread(provider.find_checkout, "cs_test_unknown")
    assert refused.value.reason == "resource_missing"


async def test_no_secret_is_in_an_error(stripe_rig: StripeRig) -> None:
    for provider in (stripe_rig.stranger, stripe_rig.unreachable):
        with pytest.raises(DomainError) as error:
            await asyncio.to_thread(provider.create_checkout, checkout_request())
        assert "stranger" not in str(error.value)
        assert API_KEY not in str(error.value)
    with pytest.raises(ProviderEventRejected) as rejected:
        stripe_rig.provider.parse_event(b"{}", {"Stripe-Signature": "t=1,v1=0"})
    assert WEBHOOK_SECRET not in str(rejected.value)


def test_the_fake_signs_as_the_package_does() -> None:
    body = '{"name": "Zoë"}'
    assert sign(body.encode(), WEBHOOK_SECRET, 17) == stripe.WebhookSignature.generate_signature_header(
        body, WEBHOOK_SECRET, 17
    )


def test_the_map_of_providers() -> None:
    ctx = Context(Settings(), secrets={"stripe-secret-key": API_KEY, "stripe-webhook-secret": WEBHOOK_SECRET})
    assert payment_provider(ctx).name == "stripe"
    with pytest.raises(DomainError, match=r"payment_provider\.unknown"):
        payment_provider(ctx, "barter")


SESSION_FORM = {
    "mode": "payment",
    "success_url": "https://wattfare.example/ok",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "500",
    "line_items[0][price_data][product_data][name]": "Top-up",
}


def test_the_package_is_imported_only_when_it_is_used() -> None:
    look = "import sys, chalicelib.payments.providers; sys.exit('stripe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


@pytest.mark.parametrize(
    ("status", "body", "error", "reason"),
    [
        (200, "<html>Sign in to the hotel's network</html>", ProviderUnavailable, None),
        (404, "<html>nginx</html>", ProviderUnavailable, None),
        (502, "<html>Bad Gateway</html>", ProviderUnavailable, None),
        (429, {"error": {"type": "invalid_request_error", "code": "rate_limit"}}, ProviderUnavailable, None),
        (503, {"error": {"type": "api_error"}}, ProviderUnavailable, None),
        (402, {"error": {"type": "card_error", "code": "card_declined"}}, ProviderRefused, "card_declined"),
        (403, {"error": {"type": "invalid_request_error"}}, ProviderRefused, "invalid_request_error"),
    ],
)
async def test_what_is_a_no_and_what_is_unknown(
    status: int, body: str | dict[str, object], error: type[DomainError], reason: str | None
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.json_response(body, status=status)

    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    provider = StripeProvider(
        api_key=API_KEY,
        webhook_secret=WEBHOOK_SECRET,
        now=lambda: START,
        api_base=f"http://{host}:{port}",
        network_retries=0,
    )
    with pytest.raises(error) as raised:
        await asyncio.to_thread(provider.create_checkout, checkout_request())
    await runner.cleanup()
    assert getattr(raised.value, "reason", None) == reason


class TestFake:
    """What the adapter never sends, so that the fake is no more lenient than Stripe."""

    @pytest.mark.parametrize(
        ("change", "code", "param"),
        [
            ({"surprise": "1"}, "parameter_unknown", "surprise"),
            ({"line_items[0][price_data][tax]": "1"}, "parameter_unknown", "line_items[0][price_data][tax]"),
            ({"success_url": None}, "parameter_missing", "success_url"),
            ({"mode": None}, "parameter_missing", "mode"),
            ({"mode": "subscription"}, None, "mode"),
            ({"success_url": "nowhere"}, "url_invalid", "success_url"),
            ({"success_url": ""}, "parameter_invalid_empty", "success_url"),
            (
                {"line_items[0][price_data][unit_amount]": "12.5"},
                "parameter_invalid_integer",
                "line_items[0][price_data][unit_amount]",
            ),
            ({"line_items[0][price_data][unit_amount]": "49"}, "amount_too_small", None),
            ({"line_items[0][price_data][unit_amount]": "100000000"}, "amount_too_large", None),
            ({"line_items[0][price_data][currency]": "xxx"}, None, "line_items[0][price_data][currency]"),
            ({"line_items[0][quantity]": "0"}, "parameter_invalid_integer", "line_items[0]"),
            ({"line_items": "1"}, None, "line_items"),
            ({"metadata": "text"}, None, "metadata"),
            ({"metadata[a]": "x" * 501}, None, "metadata[a]"),
            ({"expires_at": str(int(START.timestamp()) + 60)}, None, "expires_at"),
            ({"expires_at": str(int(START.timestamp()) + 90_000)}, None, "expires_at"),
            ({"[a": "1"}, None, "[a"),
        ],
    )
    async def test_parameters_are_refused_as_stripe_does(
        self, stripe_rig: StripeRig, change: dict[str, str | None], code: str | None, param: str | None
    ) -> None:
        form = SESSION_FORM
        if "line_items" in change:
            form = {name: text for name, text in form.items() if not name.startswith("line_items")}
        merged = {name: text for name, text in (form | change).items() if text is not None}
        status, answer = await post(stripe_rig, "/v1/checkout/sessions", merged)
        assert status == 400
        assert answer["error"]["type"] == "invalid_request_error"
        assert answer["error"].get("code") == code
        assert answer["error"].get("param") == param
        assert answer["error"]["message"]

    async def test_the_same_parameters_unchanged_are_taken(self, stripe_rig: StripeRig) -> None:
        status, answer = await post(stripe_rig, "/v1/checkout/sessions", SESSION_FORM)
        assert status == 200
        assert answer["status"] == "open"

    @pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer sk_test_other", "Basic eDo="])
    async def test_no_key_no_answer(self, stripe_rig: StripeRig, authorization: str | None) -> None:
        headers = {"Authorization": authorization} if authorization else {}
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"{stripe_rig.origin}/_local/stripe/v1/checkout/sessions/x", headers=headers) as answer,
        ):
            assert answer.status == 401
            assert (await answer.json())["error"]["type"] == "invalid_request_error"

    async def test_an_unknown_address_is_404(self, stripe_rig: StripeRig) -> None:
        status, answer = await post(stripe_rig, "/v1/subscriptions", {})
        assert status == 404
        assert "Unrecognized request URL" in answer["error"]["message"]

    async def test_every_object_can_be_fetched_by_its_id(self, stripe_rig: StripeRig) -> None:
        checkout = await asyncio.to_thread(stripe_rig.provider.create_checkout, checkout_request(amount=1000))
        await stripe_rig.payer_succeeds("pay_1")
        client = stripe.StripeClient(API_KEY, base_addresses={"api": f"{stripe_rig.origin}/_local/stripe"})

        def walk() -> tuple[stripe.PaymentIntent, stripe.Charge, stripe.BalanceTransaction]:
            session = client.v1.checkout.sessions.retrieve(checkout.provider_ref)
            assert isinstance(session.payment_intent, str)
            intent = client.v1.payment_intents.retrieve(session.payment_intent)
            assert isinstance(intent.latest_charge, str)
            attempt = client.v1.charges.retrieve(intent.latest_charge)
            assert isinstance(attempt.balance_transaction, str)
            return intent, attempt, client.v1.balance_transactions.retrieve(attempt.balance_transaction)

        intent, attempt, settled = await asyncio.to_thread(walk)
        assert (intent.status, intent.amount_received) == ("succeeded", 1000)
        assert (attempt.paid, attempt.payment_intent) == (True, intent.id)
        assert (settled.fee, settled.net, settled.source) == (40, 960, attempt.id)

    async def test_a_second_try_is_the_same_payment_intent(self, stripe_rig: StripeRig) -> None:
        await asyncio.to_thread(stripe_rig.provider.create_checkout, checkout_request())
        await stripe_rig.payer_fails("pay_1")
        await stripe_rig.payer_succeeds("pay_1")
        failed, paid = (json.loads(body)["data"]["object"] for body, _ in stripe_rig.inbox.received)
        assert failed["id"] == paid["payment_intent"]
        assert failed["latest_charge"].startswith("ch_")

    async def test_a_key_is_forgotten_after_a_day(self, stripe_rig: StripeRig) -> None:
        first = await asyncio.to_thread(stripe_rig.provider.create_checkout, checkout_request())
        stripe_rig.clock.advance(24 * 3600 - 1)
        assert await asyncio.to_thread(stripe_rig.provider.create_checkout, checkout_request()) == first
        stripe_rig.clock.advance(2)
        second = await asyncio.to_thread(stripe_rig.provider.create_checkout, checkout_request())
        assert second.provider_ref != first.provider_ref


async def post(rig: StripeRig, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{rig.origin}/_local/stripe{path}", data=form, headers={"Authorization": f"Bearer {API_KEY}"}
        ) as answer,
    ):
        return answer.status, await answer.json()
