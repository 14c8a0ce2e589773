"""The fake over HTTP: Stripe's API for the SDK, pages for payers and payees, levers for tests.

`add_routes` puts it on the aiohttp application that the platform mounts under `/_local`; the SDK is then given
`base_addresses={"api": ".../_local/stripe"}`. After a click the notification is tried before the payer is sent on,
as Stripe does. For loopback only: the server in front checks that.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import get_args

from aiohttp import web

from infra.local.payments.engine import Call
from infra.local.payments.fake import API_VERSION, Fault, PayerConflict, PayerOutcome, StripeFake, UnknownPayment
from infra.local.payments.objects.common import StripeObject
from infra.local.payments.onboarding_page import render_onboarding
from infra.local.payments.page import is_done, render_missing, render_page
from infra.local.payments.parameters import StripeError

MAX_BODY_BYTES = 64 * 1024
MAX_EMAIL_CHARS = 254
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

# What the API gives to read, where, and by which members its lists can be filtered; None: there is no list.
READS: Mapping[str, tuple[str, tuple[str, ...] | None]] = {
    "/v1/accounts": ("account", None),
    "/v1/balance_transactions": ("balance_transaction", ("currency", "source", "type")),
    "/v1/charges": ("charge", ("payment_intent",)),
    "/v1/checkout/sessions": ("checkout.session", ("payment_intent", "status")),
    "/v1/disputes": ("dispute", ("charge", "payment_intent")),
    "/v1/payment_intents": ("payment_intent", ()),
    "/v1/payouts": ("payout", ("status",)),
    "/v1/refunds": ("refund", ("charge", "payment_intent")),
    "/v1/transfers": ("transfer", ("destination", "transfer_group")),
}
OUTCOMES = get_args(PayerOutcome)
DISPUTE_OUTCOMES = ("inquire", "dispute", "dispute_won", "dispute_lost")
BUTTONS: Mapping[str, PayerOutcome] = {
    "pay": "succeed",
    "paypal": "paypal",
    "debit": "debit",
    "decline": "fail",
    "insufficient_funds": "insufficient_funds",
    "expired_card": "expired_card",
    "authentication_abandoned": "authentication_abandoned",
    "disputed": "disputed",
}

ApiHandler = Callable[[web.Request], Awaitable[tuple[StripeObject, dict[str, str]]]]


async def _nothing_more() -> None:
    pass


def add_routes(
    app: web.Application, fake: StripeFake, after_click: Callable[[], Awaitable[object]] = _nothing_more
) -> None:
    """`/stripe/v1/...`, the pages `/pay/{session}` and `/stripe-connect/{account}`, and the levers `/payments/{id}`,
    `/refunds/{id}`, `/payouts/{id}` (ids of ours), relative to where `app` is mounted.

    `after_click` is awaited between the notification and the answer to the payer: the platform lets its own
    events run there, so that whoever clicked finds the money where it belongs.
    """
    api = _Api(fake)
    payer = _Payer(fake, after_click)
    payee = _Payee(fake, after_click)
    levers = _Levers(fake, after_click)
    for endpoint in fake.writes:
        app.router.add_post(f"/stripe{endpoint}", api.handler(api.writer(endpoint)))
    for endpoint, (kind, members) in READS.items():
        app.router.add_get(f"/stripe{endpoint}/{{id}}", api.handler(api.retriever(kind)))
        if members is not None:
            app.router.add_get(f"/stripe{endpoint}", api.handler(api.lister(kind, members)))
    app.add_routes(
        [
            web.route("*", "/stripe/{rest:.*}", api.handler(api.unknown)),
            web.get("/pay/{id}", payer.show, name="pay"),
            web.post("/pay/{id}", payer.click),
            web.get("/stripe-connect/{id}", payee.show, name="connect"),
            web.post("/stripe-connect/{id}", payee.click),
            web.post("/payments/{id}", levers.act_on_payment),
            web.post("/payouts/{id}", levers.act_on_payout),
            web.post("/refunds/{id}", levers.act_on_refund),
        ]
    )


class _Api:
    def __init__(self, fake: StripeFake) -> None:
        self._fake = fake

    def handler(self, work: ApiHandler) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Around every endpoint: the key, planned faults, Stripe's headers and error JSON."""

        async def handle(request: web.Request) -> web.Response:
            fault = self._next_fault(request)
            headers = {"Request-Id": f"req_{secrets.token_hex(7)}", "Stripe-Version": API_VERSION}
            try:
                self._check_key(request)
                key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
                with self._fake.exclusive_key(key):
                    if fault.pause is not None:
                        await fault.pause()
                    if fault.answer == "none" or fault.work_done:
                        answer, more = await work(request)
                if fault.answer != "none":
                    return _break(request, fault)
                return web.json_response(answer, headers=headers | more)
            except StripeError as error:
                return web.json_response(error.to_json(), status=error.status, headers=headers)

        return handle

    def writer(self, endpoint: str) -> ApiHandler:
        async def write(request: web.Request) -> tuple[StripeObject, dict[str, str]]:
            answer, replayed = self._fake.write(endpoint, _call(request, await _read_form(request)))
            return answer, {"Idempotent-Replayed": "true"} if replayed else {}

        return write

    def retriever(self, kind: str) -> ApiHandler:
        async def retrieve(request: web.Request) -> tuple[StripeObject, dict[str, str]]:
            return self._fake.retrieve(kind, _call(request, list(request.query.items()))), {}

        return retrieve

    def lister(self, kind: str, members: tuple[str, ...]) -> ApiHandler:
        async def list_objects(request: web.Request) -> tuple[StripeObject, dict[str, str]]:
            return self._fake.list_objects(kind, members, _call(request, list(request.query.items()))), {}

        return list_objects

    async def unknown(self, request: web.Request) -> tuple[StripeObject, dict[str, str]]:
        raise StripeError(f"Unrecognized request URL ({request.method}: /{request.match_info['rest']}).", status=404)

    def _next_fault(self, request: web.Request) -> Fault:
        faults = self._fake.faults
        if not faults or (faults[0].writes_only and request.method != "POST"):
            return Fault("none")
        return faults.popleft()

    def _check_key(self, request: web.Request) -> None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise StripeError("You did not provide an API key.", status=401)
        if not secrets.compare_digest(value.encode(), self._fake.api_key.encode()):
            raise StripeError(f"Invalid API Key provided: {value[:8]}***", status=401)


class _Payer:
    def __init__(self, fake: StripeFake, after_click: Callable[[], Awaitable[object]]) -> None:
        self._fake = fake
        self._after_click = after_click

    async def show(self, request: web.Request) -> web.Response:
        try:
            session, refusal = self._fake.payers.page(request.match_info["id"])
        except StripeError:
            return _html(render_missing(), 404)
        return _html(render_page(session, refusal))

    async def click(self, request: web.Request) -> web.Response:
        """The page's buttons; a second click, or one on an expired page, changes nothing and shows how things stand."""
        session_id = request.match_info["id"]
        form = await request.post()
        action, email = str(form.get("action")), str(form.get("email") or "")[:MAX_EMAIL_CHARS]
        if action != "cancel" and action not in BUTTONS:
            return web.Response(status=400, text=f"action is cancel or one of {', '.join(BUTTONS)}")
        try:
            session, _ = self._fake.payers.page(session_id)
            if action in BUTTONS:
                self._fake.act(session_id, BUTTONS[action], email or None)
                await _tell(self._fake, self._after_click)
                session, _ = self._fake.payers.page(session_id)
        except StripeError:
            return _html(render_missing(), 404)
        except PayerConflict:
            session, _ = self._fake.payers.page(session_id)
        if is_done(session) or (session["status"] == "complete" and action == "debit"):
            raise web.HTTPSeeOther(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))
        if action == "cancel" and session["cancel_url"]:
            raise web.HTTPSeeOther(session["cancel_url"])
        raise web.HTTPSeeOther(str(request.rel_url))


class _Payee:
    def __init__(self, fake: StripeFake, after_click: Callable[[], Awaitable[object]]) -> None:
        self._fake = fake
        self._after_click = after_click

    async def show(self, request: web.Request) -> web.Response:
        """The onboarding page; a link that is used up leads to where a new one is made."""
        try:
            account, link = self._fake.payees.page(request.match_info["id"], request.query.get("link", ""))
        except LookupError:
            return _html(render_missing(), 404)
        if not self._fake.payees.is_usable(link):
            raise web.HTTPSeeOther(link["_refresh_url"])
        return _html(render_onboarding(account))

    async def click(self, request: web.Request) -> web.Response:
        action = str((await request.post()).get("action"))
        if action not in ("finish", "later"):
            return web.Response(status=400, text="action is finish or later")
        account_id, link_id = request.match_info["id"], request.query.get("link", "")
        try:
            link = self._fake.payees.visit(account_id, link_id, finished=action == "finish")
        except LookupError:
            return _html(render_missing(), 404)
        except PayerConflict:
            _, link = self._fake.payees.page(account_id, link_id)
            raise web.HTTPSeeOther(link["_refresh_url"]) from None
        await _tell(self._fake, self._after_click)
        raise web.HTTPSeeOther(link["_return_url"])


class _Levers:
    """What a payer, a payee or a bank does, for who knows only our ids."""

    def __init__(self, fake: StripeFake, after_click: Callable[[], Awaitable[object]]) -> None:
        self._fake = fake
        self._after_click = after_click

    async def act_on_payment(self, request: web.Request) -> web.Response:
        """`{"outcome": "succeed" | "fail" | ...}`: the click. Later "inquire", "dispute": the payer's bank asks, or
        wants it back; "dispute_won", "dispute_lost": it decides for us, or not."""
        payment_id = request.match_info["id"]

        def work(outcome: str) -> dict[str, object]:
            if outcome in DISPUTE_OUTCOMES:
                dispute = self._act_on_dispute(payment_id, outcome)
                return {"payment_id": payment_id, "dispute_id": dispute["id"], "status": dispute["status"]}
            chosen = next(each for each in OUTCOMES if each == outcome)
            session = self._fake.act_on_payment(payment_id, chosen)
            return {
                "payment_id": payment_id,
                "checkout_id": session["id"],
                "status": session["status"],
                "payment_status": session["payment_status"],
            }

        return await self._pull(request, (*OUTCOMES, *DISPUTE_OUTCOMES), work)

    def _act_on_dispute(self, payment_id: str, outcome: str) -> StripeObject:
        disputes = self._fake.disputes
        if outcome == "inquire":
            return disputes.inquire(payment_id)
        if outcome == "dispute":
            return disputes.begin(payment_id)
        return disputes.decide(payment_id, won=outcome == "dispute_won")

    async def act_on_refund(self, request: web.Request) -> web.Response:
        """`{"outcome": "succeed" | "fail"}`: the payer's bank takes the refund, or sends it back."""

        def work(outcome: str) -> dict[str, object]:
            refund = self._fake.intents.act_on_refund(request.match_info["id"], succeeds=outcome == "succeed")
            return {"refund_id": request.match_info["id"], "provider_id": refund["id"], "status": refund["status"]}

        return await self._pull(request, ("succeed", "fail"), work)

    async def act_on_payout(self, request: web.Request) -> web.Response:
        """`{"outcome": "succeed" | "fail"}`: the payee's bank takes the payout, or sends it back."""

        def work(outcome: str) -> dict[str, object]:
            payout = self._fake.payees.act_on_payout(request.match_info["id"], succeeds=outcome == "succeed")
            return {"payout_id": request.match_info["id"], "provider_id": payout["id"], "status": payout["status"]}

        return await self._pull(request, ("succeed", "fail"), work)

    async def _pull(
        self, request: web.Request, outcomes: tuple[str, ...], work: Callable[[str], dict[str, object]]
    ) -> web.Response:
        try:
            body = json.loads(await request.text())
        except ValueError:
            return _problem(400, "body.invalid", "The body is not JSON.")
        outcome = body.get("outcome") if isinstance(body, dict) and body.keys() == {"outcome"} else None
        if outcome not in outcomes:
            return _problem(400, "outcome.invalid", f'The body is {{"outcome": <one of {", ".join(outcomes)}>}}.')
        our_id = request.match_info["id"]
        try:
            answer = work(outcome)
        except UnknownPayment:
            return _problem(404, "payment.not_found", f"The provider was asked for nothing called {our_id!r}.")
        except PayerConflict as late:
            return _problem(409, "checkout.closed", str(late))
        await _tell(self._fake, self._after_click)
        return web.json_response(answer)


async def _tell(fake: StripeFake, after_click: Callable[[], Awaitable[object]]) -> None:
    await fake.deliver_due()
    await after_click()


def _call(request: web.Request, pairs: list[tuple[str, str]]) -> Call:
    def page_url(page: str, object_id: str) -> str:
        return str(request.url.origin().join(request.app.router[page].url_for(id=object_id)))

    return Call(
        path=request.path[request.path.index("/v1/") :],
        object_id=request.match_info.get("id", ""),
        account=request.headers.get("Stripe-Account"),
        pairs=pairs,
        key=request.headers.get("Idempotency-Key"),
        page_url=page_url,
    )


async def _read_form(request: web.Request) -> list[tuple[str, str]]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise StripeError("Requests are form-encoded: application/x-www-form-urlencoded.")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise StripeError("The request is too large.", status=413)
    return [(name, value) for name, value in (await request.post()).items() if isinstance(value, str)]


def _break(request: web.Request, fault: Fault) -> web.Response:
    if fault.answer == "drop" and request.transport is not None:
        request.transport.abort()
    error = StripeError("An unknown error occurred", status=500, kind="api_error")
    return web.json_response(error.to_json(), status=500)


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status, headers=PAGE_HEADERS)


def _problem(status: int, code: str, detail: str) -> web.Response:
    body = {"type": "about:blank", "title": detail, "status": status, "code": code, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")
