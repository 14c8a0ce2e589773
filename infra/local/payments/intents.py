"""PaymentIntents after the payer is done: capture, cancel, refund, and what banks do of their own accord.

Used by `fake.py`.
"""

from __future__ import annotations

from infra.local.payments.engine import Call, Engine
from infra.local.payments.objects import intents
from infra.local.payments.objects.common import StripeObject
from infra.local.payments.parameters import StripeError, require
from infra.local.payments.payers import PayerConflict, UnknownPayment


class Intents:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.on_time("payment_intent", self._run_out)
        engine.on_time("refund", self._settle)

    def capture(self, call: Call) -> StripeObject:
        engine = self._engine
        intent = engine.find("payment_intent", call.object_id)
        changed = intents.capture(intent, self._charge(intent), call.params, engine.new_id, engine.now_s())
        engine.save(*changed)
        engine.tell("charge.captured", changed[1])
        for subject in changed:
            if subject["object"] == "refund":  # the rest, released
                engine.tell("refund.created", subject)
        return changed[0]

    def cancel(self, call: Call) -> StripeObject:
        intent = self._engine.find("payment_intent", call.object_id)
        reason = call.params.get("cancellation_reason")
        if reason is not None and reason not in intents.CANCELLATION_REASONS:
            raise StripeError("Invalid cancellation_reason", param="cancellation_reason")
        session = self._engine.find("checkout.session", intent["_session"]) if intent.get("_session") else None
        if session is not None and session["status"] == "open":
            raise StripeError("This PaymentIntent belongs to an open Checkout Session: expire the session instead.")
        return self._cancel(intent, reason)

    def refund(self, call: Call) -> StripeObject:
        engine = self._engine
        intent_id = require(call.params, "payment_intent")
        intent = engine.store.find("payment_intent", intent_id)
        if intent is None:
            raise StripeError(
                f"No such payment_intent: '{intent_id}'", status=404, code="resource_missing", param="payment_intent"
            )
        changed = intents.refund(self._charge(intent), call.params, engine.new_id, engine.now_s())
        engine.save(*changed)
        engine.tell("refund.created", changed[0])
        return changed[0]

    def act_on_refund(self, refund_id: str, *, succeeds: bool) -> StripeObject:
        """The payer's bank takes the money, or sends it back (also days after it was thought done)."""
        engine = self._engine
        engine.pass_time()
        with engine.store.transaction():
            known = engine.store.find_by_our_id("refund", refund_id)
            if not known:
                raise UnknownPayment(refund_id)
            refund = known[0]
            if succeeds:
                if refund["status"] == "failed":
                    raise PayerConflict("The refund is failed.")
                return self._succeed(refund) if refund["status"] == "pending" else refund
            charge = engine.find("charge", refund["charge"])
            try:
                changed = intents.fail_refund(refund, charge, engine.new_id, engine.now_s())
            except StripeError as late:
                raise PayerConflict(late.message) from late
            engine.save(*changed)
            engine.tell("refund.failed", changed[0])
            return changed[0]

    def _charge(self, intent: StripeObject) -> StripeObject | None:
        return self._engine.store.find("charge", intent["latest_charge"]) if intent["latest_charge"] else None

    def _run_out(self, intent: StripeObject) -> None:
        self._cancel(intent, "automatic")

    def _settle(self, refund: StripeObject) -> None:
        self._succeed(refund)

    def _succeed(self, refund: StripeObject) -> StripeObject:
        done = refund | {"status": "succeeded"}
        self._engine.save(done)
        self._engine.tell("refund.updated", done)
        return done

    def _cancel(self, intent: StripeObject, reason: str | None) -> StripeObject:
        canceled = intents.cancel(intent, reason, self._engine.now_s())
        self._engine.save(canceled)
        self._engine.tell("payment_intent.canceled", canceled)
        return canceled
