"""The fake over HTTP: Stripe's API for the SDK, the hosted page for a payer, a lever for tests.

`add_routes` puts it on the aiohttp application that the platform mounts under `/_local`; the SDK is then given
`base_addresses={"api": ".../_local/stripe"}`. After a click the notification is tried before the payer is sent on,
as Stripe does. For loopback only: the server in front checks that.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from infra.local.payments.fake import API_VERSION, Fault, PayerConflict, PayerOutcome, StripeFake, UnknownPayment
from infra.local.payments.objects import StripeObject
from infra.local.payments.page import render_missing, render_page
from infra.local.payments.parameters import StripeError

MAX_BODY_BYTES = 64 * 1024
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

BUTTONS: Mapping[str, PayerOutcome] = {"pay": "succeed", "debit": "debit", "decline": "fail"}

ApiHandler = Callable[[web.Request], Awaitable[tuple[StripeObject, dict[str, str]]]]


async def _nothing_more() -> None:
    pass


def add_routes(
    app: web.Application, fake: StripeFake, after_click: Callable[[], Awaitable[object]] = _nothing_more
) -> None:
    """`/stripe/v1/...`, `/pay/{session_id}` and `/payments/{payment_id}`, relative to where `app` is mounted.

    `after_click` is awaited between the notification and the answer to the payer: the platform lets its own
    events run there, so that whoever clicked finds the money where it belongs.
    """
    api = _Api(fake)
    payer = _Payer(fake, after_click)
    app.add_routes(
        [
            web.post("/stripe/v1/checkout/sessions", api.handler(api.create_session)),
            web.get("/stripe/v1/checkout/sessions/{id}", api.handler(api.retriever("checkout.session"))),
            web.post("/stripe/v1/checkout/sessions/{id}/expire", api.handler(api.expire_session)),
            web.get("/stripe/v1/payment_intents/{id}", api.handler(api.retriever("payment_intent"))),
            web.get("/stripe/v1/charges/{id}", api.handler(api.retriever("charge"))),
            web.get("/stripe/v1/balance_transactions/{id}", api.handler(api.retriever("balance_transaction"))),
            web.route("*", "/stripe/{rest:.*}", api.handler(api.unknown)),
            web.get("/pay/{id}", payer.show, name="pay"),
            web.post("/pay/{id}", payer.click),
            web.post("/payments/{id}", payer.act),
        ]
    )


class _Api:
    def __init__(self, fake: StripeFake) -> None:
        self._fake = fake

    def handler(self, work: ApiHandler) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Around every endpoint: the key, planned faults, Stripe's headers and error JSON."""

        async def handle(request: web.Request) -> web.Response:
            fault = self._fake.faults.popleft() if self._fake.faults else Fault("none")
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

    async def create_session(self, request: web.Request) -> tuple[StripeObject, dict[str, str]]:
        form = await _read_form(request)
        page = request.app.router["pay"]

        def page_url(session_id: str) -> str:
            return str(request.url.origin().join(page.url_for(id=session_id)))

        answer, replayed = self._fake.create_session(form, page_url, request.headers.get("Idempotency-Key"))
        return answer, {"Idempotent-Replayed": "true"} if replayed else {}

    async def expire_session(self, request: web.Request) -> tuple[StripeObject, dict[str, str]]:
        return self._fake.expire_session(request.match_info["id"]), {}

    def retriever(self, kind: str) -> ApiHandler:
        async def retrieve(request: web.Request) -> tuple[StripeObject, dict[str, str]]:
            return self._fake.retrieve(kind, request.match_info["id"], list(request.query.items())), {}

        return retrieve

    async def unknown(self, request: web.Request) -> tuple[StripeObject, dict[str, str]]:
        raise StripeError(f"Unrecognized request URL ({request.method}: /{request.match_info['rest']}).", status=404)

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
            session, refusal = self._fake.session_page(request.match_info["id"])
        except StripeError:
            return _html(render_missing(), 404)
        return _html(render_page(session, refusal))

    async def click(self, request: web.Request) -> web.Response:
        """The page's buttons; a second click, or one on an expired page, changes nothing and shows how things stand."""
        session_id = request.match_info["id"]
        action = str((await request.post()).get("action"))
        if action != "cancel" and action not in BUTTONS:
            return web.Response(status=400, text="action is pay, debit, decline or cancel")
        try:
            session, _ = self._fake.session_page(session_id)
            if action in BUTTONS:
                session = self._fake.act(session_id, BUTTONS[action])
                await self._tell()
        except StripeError:
            return _html(render_missing(), 404)
        except PayerConflict:
            session, _ = self._fake.session_page(session_id)
        if session["status"] == "complete" and (session["payment_status"] == "paid" or action == "debit"):
            raise web.HTTPSeeOther(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))
        if action == "cancel" and session["cancel_url"]:
            raise web.HTTPSeeOther(session["cancel_url"])
        raise web.HTTPSeeOther(str(request.rel_url))

    async def act(self, request: web.Request) -> web.Response:
        """`{"outcome": "succeed" | "fail"}`: the click, for who knows only our payment's id."""
        payment_id = request.match_info["id"]
        try:
            body = json.loads(await request.text())
        except ValueError:
            return _problem(400, "body.invalid", "The body is not JSON.")
        outcome = body.get("outcome") if isinstance(body, dict) and body.keys() == {"outcome"} else None
        if outcome not in ("succeed", "fail"):
            return _problem(400, "outcome.invalid", 'The body is {"outcome": "succeed"} or {"outcome": "fail"}.')
        try:
            session = self._fake.act_on_payment(payment_id, outcome)
        except UnknownPayment:
            return _problem(404, "payment.not_found", f"No checkout was opened for payment {payment_id!r}.")
        except PayerConflict as late:
            return _problem(409, "checkout.closed", str(late))
        await self._tell()
        return web.json_response(
            {
                "payment_id": payment_id,
                "checkout_id": session["id"],
                "status": session["status"],
                "payment_status": session["payment_status"],
            }
        )

    async def _tell(self) -> None:
        await self._fake.deliver_due()
        await self._after_click()


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
