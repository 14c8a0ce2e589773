"""The fake as one thing: Stripe's endpoints, payers, payees, and the notifications that tell of them.

Called by `routes.py` (HTTP) and by the platform's loop (`next_due`, `deliver_due`). Invariants: a click changes the
objects and queues the notification in one commit; a notification is repeated until it is taken or given up. Time is
the platform's virtual clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from infra.local.payments.disputes import Disputes
from infra.local.payments.engine import API_VERSION, MAX_STEPS_PER_CALL, Call, Engine
from infra.local.payments.intents import Intents
from infra.local.payments.objects import checkout, connect, intents
from infra.local.payments.objects.common import StripeObject
from infra.local.payments.objects.methods import PayerOutcome
from infra.local.payments.parameters import Shape
from infra.local.payments.payees import Payees
from infra.local.payments.payers import PayerConflict, Payers, UnknownPayment
from infra.local.payments.store import StoredEvent
from infra.local.payments.webhooks import Deliver, retry_delay_s, sign

__all__ = ["API_VERSION", "Fault", "PayerConflict", "PayerOutcome", "StripeFake", "UnknownPayment", "Write"]

log = logging.getLogger(__name__)

IN_FLIGHT_S = 60  # a delivery that was cut off by a crash is repeated after this


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next API request (or, with `writes_only`, to the next POST) instead of an answer.

    "error": HTTP 500; "drop": the connection is cut; "none": answered as usual, after `pause`. `work_done` tells
    whether the request was carried out before its answer got lost.
    """

    answer: Literal["error", "drop", "none"] = "error"
    work_done: bool = False
    pause: Callable[[], Awaitable[object]] | None = None
    writes_only: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """A POST endpoint: the parameters it takes, and what it does with them."""

    shape: Mapping[str, Shape]
    work: Callable[[Call], StripeObject]


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
        self._deliver = deliver
        self._webhook_secret = webhook_secret
        self._engine = Engine(now, path)
        self._store = self._engine.store
        self._delivering = asyncio.Lock()
        self.payers = Payers(self._engine)
        self.intents = Intents(self._engine)
        self.disputes = Disputes(self._engine)
        self.payees = Payees(self._engine)
        self.writes: Mapping[str, Write] = {
            "/v1/account_links": Write(connect.LINK_SHAPE, self.payees.create_link),
            "/v1/accounts": Write(connect.ACCOUNT_SHAPE, self.payees.create_account),
            "/v1/checkout/sessions": Write(checkout.SESSION_SHAPE, self.payers.create_session),
            "/v1/checkout/sessions/{id}/expire": Write({}, self.payers.expire_session),
            "/v1/payment_intents/{id}/cancel": Write(intents.CANCEL_SHAPE, self.intents.cancel),
            "/v1/payment_intents/{id}/capture": Write(intents.CAPTURE_SHAPE, self._capture),
            "/v1/payouts": Write(connect.PAYOUT_SHAPE, self.payees.pay_out),
            "/v1/refunds": Write(intents.REFUND_SHAPE, self.intents.refund),
            "/v1/transfers": Write(connect.TRANSFER_SHAPE, self.payees.transfer),
            "/v1/transfers/{id}/reversals": Write(connect.REVERSAL_SHAPE, self.payees.reverse),
        }

    def close(self) -> None:
        self._store.close()

    # --- the API -------------------------------------------------------------------------------------------------

    def write(self, endpoint: str, call: Call) -> tuple[StripeObject, bool]:
        """A POST to one of `writes`: its answer, and whether it is the replay of an earlier one."""
        described = self.writes[endpoint]
        return self._engine.write(call, described.shape, described.work)

    def retrieve(self, kind: str, call: Call) -> StripeObject:
        return self._engine.read_one(kind, call)

    def list_objects(self, kind: str, members: Sequence[str], call: Call) -> StripeObject:
        return self._engine.read_list(kind, members, call)

    def exclusive_key(self, key: str | None) -> AbstractContextManager[None]:
        """While a request with this key is under way, another one is refused with 409."""
        return self._engine.exclusive_key(key)

    def _capture(self, call: Call) -> StripeObject:
        intent = self.intents.capture(call)
        self.disputes.after_capture(intent)
        return intent

    # --- payers --------------------------------------------------------------------------------------------------

    def act(self, session_id: str, outcome: PayerOutcome, email: str | None = None) -> StripeObject:
        """A click on the page. PayerConflict when there is nothing (more) to decide."""
        return self._followed(self.payers.act(session_id, outcome, email), outcome)

    def act_on_payment(self, payment_id: str, outcome: PayerOutcome) -> StripeObject:
        """The same for who knows only our payment's id; "succeed" twice changes nothing."""
        return self._followed(self.payers.act_on_payment(payment_id, outcome), outcome)

    def _followed(self, session: StripeObject, outcome: PayerOutcome) -> StripeObject:
        if outcome == "disputed" and session["payment_status"] == "paid":
            with suppress(PayerConflict):  # so it was before
                self.disputes.begin(session["client_reference_id"])
        return session

    # --- the passing of time -------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """When something is to be done next: an object changes by time, or a notification goes out."""
        moments = [moment for moment in (self._store.first_due(), self._store.first_pending_at()) if moment is not None]
        return datetime.fromtimestamp(min(moments), UTC) if moments else None

    async def deliver_due(self, limit: int = MAX_STEPS_PER_CALL) -> int:
        """Does what time has done and sends the notifications that are due now; the number of attempts, at most
        `limit`.

        One caller sends at a time; the others wait, so that whoever returns knows that what was due has been tried.
        All callers are on one event loop (the server's).
        """
        async with self._delivering:
            self._engine.pass_time()
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
        now_s = self._engine.now_s()
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
            "Stripe-Signature": sign(event.body, self._webhook_secret, self._engine.now_s()),
        }
        try:
            status = await self._deliver(event.body, headers)
            error = None if 200 <= status < 300 else f"HTTP {status}"
        except Exception as failure:  # whatever went wrong on the way, the answer to it is another attempt
            error = f"{type(failure).__name__}: {failure}"
        now_s = self._engine.now_s()
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
