"""What payers' banks do long after a payment: they ask, take the money back, hear our side, decide.

Used by `fake.py`. All by our payment's id: banks know nothing of ours else.
"""

from __future__ import annotations

from infra.local.payments.engine import Engine
from infra.local.payments.objects import disputes
from infra.local.payments.objects.common import StripeObject
from infra.local.payments.objects.methods import METHODS
from infra.local.payments.parameters import StripeError
from infra.local.payments.payers import PayerConflict, UnknownPayment


class Disputes:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def inquire(self, payment_id: str) -> StripeObject:
        """The bank asks what it was for; no money moves."""
        return self._begin(payment_id, inquiry=True)

    def begin(self, payment_id: str) -> StripeObject:
        """The bank takes the money back; also after an inquiry."""
        return self._begin(payment_id, inquiry=False)

    def decide(self, payment_id: str, *, won: bool) -> StripeObject:
        """For us, or for the payer."""
        engine = self._engine
        with engine.store.transaction():
            charge = self._charge(payment_id)
            dispute = self._latest(charge)
            if dispute is None:
                raise PayerConflict("There is no dispute.")
            try:
                changed = disputes.decide(dispute, charge, engine.new_id, engine.now_s(), won=won)
            except StripeError as late:
                raise PayerConflict(late.message) from late
            engine.save(*changed)
            if len(changed) > 1:
                engine.tell("charge.dispute.funds_reinstated", changed[0])
            engine.tell("charge.dispute.closed", changed[0])
            return changed[0]

    def after_capture(self, intent: StripeObject) -> None:
        """In the caller's commit: the holder of some test card disputes as soon as the money is taken."""
        charge = self._engine.find("charge", intent["latest_charge"])
        card = charge["payment_method_details"].get("card", {})
        if card.get("last4") == METHODS["disputed"]["card"]["last4"]:
            self._start(charge, inquiry=False)

    def _begin(self, payment_id: str, *, inquiry: bool) -> StripeObject:
        engine = self._engine
        with engine.store.transaction():
            charge = self._charge(payment_id)
            known = self._latest(charge)
            if known is None:
                return self._start(charge, inquiry=inquiry)
            if known["status"] != disputes.INQUIRY or inquiry:
                raise PayerConflict(f"There is a dispute already: it is {known['status']}.")
            changed = disputes.withdraw(known, charge, engine.new_id, engine.now_s())
            engine.save(*changed)
            engine.tell("charge.dispute.updated", changed[0])
            engine.tell("charge.dispute.funds_withdrawn", changed[0])
            return changed[0]

    def _start(self, charge: StripeObject, *, inquiry: bool) -> StripeObject:
        engine = self._engine
        changed = disputes.begin(charge, engine.new_id, engine.now_s(), inquiry=inquiry)
        engine.save(*changed)
        engine.tell("charge.dispute.created", changed[0])
        if not inquiry:
            engine.tell("charge.dispute.funds_withdrawn", changed[0])
        return changed[0]

    def _charge(self, payment_id: str) -> StripeObject:
        """The money of our payment."""
        store = self._engine.store
        sessions = store.find_by_our_id("checkout.session", payment_id)
        if not sessions:
            raise UnknownPayment(payment_id)
        for session in sessions:
            intent = store.find("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
            charge = store.find("charge", intent["latest_charge"]) if intent and intent["latest_charge"] else None
            if charge is not None and charge["captured"]:
                return charge
        raise PayerConflict("There is no money to dispute.")

    def _latest(self, charge: StripeObject) -> StripeObject | None:
        return next(iter(self._engine.store.find_by_our_id("dispute", charge["id"])), None)
