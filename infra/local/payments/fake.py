"""The fake's behaviour: what Stripe does when we call it, when a payer clicks, and when time passes.

Called by `routes.py` (HTTP) and by the platform's loop (`next_due`, `deliver_due`). Invariants: a click changes the
objects and queues the notification in one commit; a notification is repeated until it is taken or given up; the same
idempotency key gives the same answer for 24 hours. Time is the platform's virtual clock.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from infra.local.payments import objects
from infra.local.payments.objects import StripeObject
from infra.local.payments.parameters import StripeError, read_parameters
from infra.local.payments.store import Store, StoredEvent
from infra.local.payments.webhooks import Deliver, retry_delay_s, sign

log = logging.getLogger(__name__)

API_VERSION = "2026-10-28.endive"
IDEMPOTENCY_LIFE_S = 24 * 60 * 60
MAX_KEY_CHARS = 255
IN_FLIGHT_S = 60  # a delivery that was cut off by a crash is repeated after this
MAX_STEPS_PER_CALL = 1_000

# Where an id inside an object leads to when a request asks to expand it.
EXPANDABLE = {
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "balance_transaction": "balance_transaction",
}

PayerOutcome = Literal["succeed", "fail", "debit"]


class UnknownPayment(LookupError):
    """No checkout was ever opened for this payment."""


class PayerConflict(Exception):
    """The payer comes too late: the checkout is paid or expired."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next API request instead of an answer.

    "error": HTTP 500; "drop": the connection is cut; "none": answered as usual, after `pause`. `work_done` tells
    whether the request was carried out before its answer got lost.
    """

    answer: Literal["error", "drop", "none"] = "error"
    work_done: bool = False
    pause: Callable[[], Awaitable[object]] | None = None


class StripeFake:
    """`deliver` takes the notifications to the product's webhook; `api_key` and `webhook_secret` are what the
    product is configured with. Durable at `path`."""

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        *,
        api_key: str,
        webhook_secret: str,
        path: str | Path = ":memory:",
    ) -> None:
        self.api_key = api_key
        self.faults: deque[Fault] = deque()
        self._now = now
        self._deliver = deliver
        self._webhook_secret = webhook_secret
        self._store = Store(path)
        self._keys_in_flight: set[str] = set()
        self._delivering = asyncio.Lock()
        self._store.reopen(self._now_s(), self._now_s() - IDEMPOTENCY_LIFE_S)

    def close(self) -> None:
        self._store.close()

    # --- the API -------------------------------------------------------------------------------------------------

    def create_session(
        self, form: Sequence[tuple[str, str]], page_url: Callable[[str], str], key: str | None
    ) -> tuple[StripeObject, bool]:
        """POST /v1/checkout/sessions: the session, and whether this is the replay of an earlier answer."""
        fingerprint = hashlib.sha256(json.dumps(sorted(form)).encode()).hexdigest()
        with self._store.transaction():
            replayed = self._find_replay(key, fingerprint)
            if replayed is not None:
                return replayed, True
            params = read_parameters(form, objects.SESSION_SHAPE)
            session_id = _new_id("cs_test")
            session = objects.new_session(params, session_id, page_url(session_id), self._now_s())
            self._store.save(session)
            answer = self._expanded(session, params.get("expand", []))
            if key is not None:
                self._store.save_answer(key, fingerprint, answer, self._now_s())
        return answer, False

    def retrieve(self, kind: str, object_id: str, query: Sequence[tuple[str, str]]) -> StripeObject:
        """GET of one object, with `expand[]`. StripeError 404 when it is not there."""
        expand = read_parameters(query, {"expand": [objects.TEXT]}).get("expand", [])
        self._expire_due()
        return self._expanded(self._find(kind, object_id), expand)

    def expire_session(self, session_id: str) -> StripeObject:
        """POST /v1/checkout/sessions/{id}/expire: only an open session can be expired."""
        self._expire_due()
        with self._store.transaction():
            session = self._find("checkout.session", session_id)
            if session["status"] != "open":
                raise StripeError(
                    f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has '
                    f"a status of `{session['status']}`."
                )
            return objects.public(self._expire(session))

    @contextmanager
    def exclusive_key(self, key: str | None) -> Iterator[None]:
        """While a request with this key is under way, another one is refused with 409."""
        if key is None:
            yield
            return
        if len(key) > MAX_KEY_CHARS:
            raise StripeError(f"Idempotency-Key must be at most {MAX_KEY_CHARS} characters.", kind="idempotency_error")
        if key in self._keys_in_flight:
            raise StripeError(
                "There is currently another in-progress request using this Stripe Idempotency-Key.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        self._keys_in_flight.add(key)
        try:
            yield
        finally:
            self._keys_in_flight.discard(key)

    # --- the payer -----------------------------------------------------------------------------------------------

    def session_page(self, session_id: str) -> tuple[StripeObject, str | None]:
        """What the hosted page shows: the session (with private members), and why the last card was refused."""
        self._expire_due()
        session = self._find("checkout.session", session_id)
        intent = self._find("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
        refusal = intent["last_payment_error"] if intent else None
        return session, refusal["message"] if refusal else None

    def act(self, session_id: str, outcome: PayerOutcome) -> StripeObject:
        """The payer's card is accepted or refused, or a bank debit is authorised; for a debit that is under way,
        the bank executes or refuses it. PayerConflict when there is nothing (more) to decide."""
        self._expire_due()
        with self._store.transaction():
            session = self._find("checkout.session", session_id)
            pending = objects.is_pending(session)
            if not pending and session["status"] != "open":
                raise PayerConflict(f"The checkout is {session['status']}.")
            ids = {
                "payment_intent": _new_id("pi"),
                "charge": _new_id("ch"),
                "balance_transaction": _new_id("txn"),
            }
            if outcome == "debit":
                if pending:
                    raise PayerConflict("A bank debit is under way.")
                changed = objects.submit_debit(session, ids, self._now_s())
                self._queue_event("checkout.session.completed", changed[0])
            elif outcome == "succeed":
                changed = objects.pay(session, ids, self._now_s())
                kind = "checkout.session.async_payment_succeeded" if pending else "checkout.session.completed"
                self._queue_event(kind, changed[0])
            else:
                changed = objects.decline(session, ids, self._now_s())
                self._queue_event("payment_intent.payment_failed", changed[1])
                if pending:
                    self._queue_event("checkout.session.async_payment_failed", changed[0])
            for subject in changed:
                self._store.save(subject)
            return objects.public(changed[0])

    def act_on_payment(self, payment_id: str, outcome: PayerOutcome) -> StripeObject:
        """`act` on the newest checkout of OUR payment that has not expired; "succeed" twice changes nothing."""
        self._expire_due()
        sessions = self._store.sessions_of_payment(payment_id)
        if not sessions:
            raise UnknownPayment(payment_id)
        session = next((each for each in sessions if each["status"] != "expired"), sessions[0])
        if outcome == "succeed" and session["payment_status"] == "paid":
            return objects.public(session)
        return self.act(session["id"], outcome)

    # --- the passing of time -------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """When something is to be done next: a page expires, or a notification goes out."""
        moments = [
            moment for moment in (self._store.first_expiry(), self._store.first_pending_at()) if moment is not None
        ]
        return datetime.fromtimestamp(min(moments), UTC) if moments else None

    async def deliver_due(self, limit: int = MAX_STEPS_PER_CALL) -> int:
        """Expires the pages and sends the notifications that are due now; the number of attempts, at most `limit`.

        One caller sends at a time; the others wait, so that whoever returns knows that what was due has been tried.
        All callers are on one event loop (the server's).
        """
        async with self._delivering:
            self._expire_due()
            for count in range(limit):
                event = self._claim_event()
                if event is None:
                    return count
                await self._attempt(event)
            return limit

    def events(self, limit: int = 100) -> list[StoredEvent]:
        """The notifications, newest first, with how their delivery stands."""
        return self._store.events(limit)

    def _claim_event(self) -> StoredEvent | None:
        now_s = self._now_s()
        with self._store.transaction():
            event = self._store.next_event(now_s)
            if event is not None:
                self._store.save_delivery(
                    event.id,
                    attempts=event.attempts + 1,
                    next_attempt_at=now_s + IN_FLIGHT_S,
                    last_error=event.last_error,
                )
        return event

    async def _attempt(self, event: StoredEvent) -> None:
        attempts = event.attempts + 1
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (local fake)",
            "Stripe-Signature": sign(event.body, self._webhook_secret, self._now_s()),
        }
        try:
            status = await self._deliver(event.body, headers)
            error = None if 200 <= status < 300 else f"HTTP {status}"
        except Exception as failure:  # whatever went wrong on the way, the answer to it is another attempt
            error = f"{type(failure).__name__}: {failure}"
        now_s = self._now_s()
        if error is None:
            self._store.save_delivery(event.id, attempts=attempts, next_attempt_at=None, delivered_at=now_s)
            return
        delay_s = retry_delay_s(attempts)
        log.warning("notification %s: attempt %d failed (%s)", event.id, attempts, error)
        self._store.save_delivery(
            event.id,
            attempts=attempts,
            next_attempt_at=None if delay_s is None else now_s + delay_s,
            last_error=error,
        )

    # --- inside --------------------------------------------------------------------------------------------------

    def _now_s(self) -> int:
        return int(self._now().timestamp())

    def _find(self, kind: str, object_id: str) -> StripeObject:
        found = self._store.find(kind, object_id)
        if found is None:
            raise StripeError(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param="id")
        return found

    def _find_replay(self, key: str | None, fingerprint: str) -> StripeObject | None:
        earlier = self._store.find_answer(key, self._now_s() - IDEMPOTENCY_LIFE_S) if key is not None else None
        if earlier is None:
            return None
        if earlier[0] != fingerprint:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return earlier[1]

    def _expire_due(self) -> None:
        with self._store.transaction():
            for session in self._store.expired_sessions(self._now_s(), MAX_STEPS_PER_CALL):
                self._expire(session)

    def _expire(self, session: StripeObject) -> StripeObject:
        expired = objects.expire(session)
        self._store.save(expired)
        self._queue_event("checkout.session.expired", expired)
        return expired

    def _queue_event(self, kind: str, subject: StripeObject) -> None:
        now_s = self._now_s()
        self._store.add_event(objects.event(_new_id("evt"), kind, subject, API_VERSION, now_s), now_s)

    def _expanded(self, subject: StripeObject, paths: Sequence[str]) -> StripeObject:
        shown = objects.public(subject)
        for path in paths:
            here = shown
            for name in path.split("."):
                if name not in EXPANDABLE or name not in here:
                    raise StripeError(
                        f"This property cannot be expanded ({path}).", code="parameter_invalid", param="expand"
                    )
                here = self._expand_member(here, name)
                if not here:
                    break
        return shown

    def _expand_member(self, parent: StripeObject, name: str) -> StripeObject:
        """Puts the object in the place of its id; an empty dict when there is none to put."""
        value = parent[name]
        if isinstance(value, str):
            parent[name] = value = objects.public(self._find(EXPANDABLE[name], value))
        return value or {}


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"
