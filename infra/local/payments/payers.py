"""What payers do on the hosted page, and the Checkout Sessions behind it.

Used by `fake.py`. A payer comes by the session's id (the page) or by our payment's id (the lever of tests).
"""

from __future__ import annotations

from infra.local.payments.engine import Call, Engine
from infra.local.payments.objects import checkout
from infra.local.payments.objects.common import StripeObject, public
from infra.local.payments.objects.methods import PayerOutcome
from infra.local.payments.parameters import StripeError


class UnknownPayment(LookupError):
    """Nothing with this id of ours was ever asked for."""


class PayerConflict(Exception):
    """Too late, or not with this page: the checkout is paid or expired, the method is not offered."""


GOOD_OUTCOMES = frozenset({"succeed", "paypal", "disputed"})
DECIDED = frozenset({"succeeded", "requires_capture", "canceled"})


class Payers:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.on_time("checkout.session", self._run_out)

    def create_session(self, call: Call) -> StripeObject:
        session_id = self._engine.new_id("cs_test")
        page_url = call.page_url("pay", session_id)
        session = checkout.new_session(call.params, session_id, page_url, self._engine.now_s())
        self._engine.save(session)
        return session

    def expire_session(self, call: Call) -> StripeObject:
        """Only an open session can be expired."""
        session = self._engine.find("checkout.session", call.object_id)
        if session["status"] != "open":
            raise StripeError(
                f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has '
                f"a status of `{session['status']}`."
            )
        return self._expire(session)

    def page(self, session_id: str) -> tuple[StripeObject, str | None]:
        """What the hosted page shows: the session (with private members), and why the last card was refused."""
        self._engine.pass_time()
        session = self._engine.find("checkout.session", session_id)
        intent = self._intent(session)
        refusal = intent["last_payment_error"] if intent else None
        return session, refusal["message"] if refusal else None

    def act(self, session_id: str, outcome: PayerOutcome, email: str | None = None) -> StripeObject:
        """The payer's card is accepted or refused, or a bank debit is authorised; for a debit that is under way,
        the bank executes or refuses it. PayerConflict when there is nothing (more) to decide."""
        engine = self._engine
        engine.pass_time()
        with engine.store.transaction():
            session = engine.find("checkout.session", session_id)
            pending = checkout.is_pending(session)
            if not pending and session["status"] != "open":
                raise PayerConflict(f"The checkout is {session['status']}.")
            if pending and outcome not in ("succeed", "fail"):
                raise PayerConflict("A bank debit is under way.")
            now_s = engine.now_s()
            if outcome == "debit":
                if "sepa_debit" not in session["payment_method_types"]:
                    raise PayerConflict("This cannot be paid by bank debit.")
                changed = checkout.submit_debit(session, email, engine.new_id, now_s)
                engine.tell("checkout.session.completed", changed[0])
            elif outcome in GOOD_OUTCOMES:
                changed = checkout.pay(session, outcome, email, engine.new_id, now_s)
                kind = "checkout.session.async_payment_succeeded" if pending else "checkout.session.completed"
                engine.tell(kind, changed[0])
            else:
                changed = checkout.decline(session, outcome, engine.new_id, now_s)
                engine.tell("payment_intent.payment_failed", changed[1])
                if pending:
                    engine.tell("checkout.session.async_payment_failed", changed[0])
            engine.save(*changed)
            return public(changed[0])

    def act_on_payment(self, payment_id: str, outcome: PayerOutcome) -> StripeObject:
        """`act` on the newest checkout of OUR payment that has not expired; "succeed" twice changes nothing."""
        self._engine.pass_time()
        sessions = self._engine.store.find_by_our_id("checkout.session", payment_id)
        if not sessions:
            raise UnknownPayment(payment_id)
        session = next((each for each in sessions if each["status"] != "expired"), sessions[0])
        intent = self._intent(session)
        if outcome in GOOD_OUTCOMES and intent is not None and intent["status"] in DECIDED:
            return public(session)
        return self.act(session["id"], outcome)

    def _intent(self, session: StripeObject) -> StripeObject | None:
        return self._engine.find("payment_intent", session["payment_intent"]) if session["payment_intent"] else None

    def _run_out(self, session: StripeObject) -> None:
        self._expire(session)

    def _expire(self, session: StripeObject) -> StripeObject:
        expired = checkout.expire(session)
        self._engine.save(expired)
        self._engine.tell("checkout.session.expired", expired)
        return expired
