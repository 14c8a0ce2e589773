"""What drivers, guests and chargers do in the town. Each of it may die on the way, and is told again.

Everything is told by ids that are made before: a request by its session's or refund's, a charger's frame by what it
says. What comes back is `done`, `silent`, or the code of a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Concatenate, Literal, ParamSpec, TypeVar

from chalicelib.charging import jobs as charging_jobs
from chalicelib.charging import lookup, order_lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import ChargingSession, MeterSample
from chalicelib.charging.model.orders import AbnormalOrder, OrderFilter
from chalicelib.charging.service import guests, reviewing
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment
from chalicelib.payments.providers.port import (
    CheckoutState,
)
from chalicelib.wallets import service as wallets
from tests.integration.money.town.town import Death, Delivery, Town
from tests.site import CARD
from tests.unit.payments.till import euro, page

EMAIL = "gast@example.org"
HALF_A_DAY_S = 12 * 3600
Presents = Literal["what is asked for", "a card", "a strange card"]


Someone = TypeVar("Someone", bound="People")
What = ParamSpec("What")
Answer = TypeVar("Answer")


def within_the_limit(
    act: Callable[Concatenate[Someone, What], Answer],
) -> Callable[Concatenate[Someone, What], Answer]:
    """What people do leaves the operator owing no more than it may, or no more than before."""

    @wraps(act)
    def watched(self: Someone, *args: What.args, **kwargs: What.kwargs) -> Answer:
        before = self.town.room()
        answer = act(self, *args, **kwargs)
        assert self.town.room() >= min(before, 0), f"{act.__name__}: the operator owes more than it may"
        return answer

    return watched


class People:
    """See the module. `pages`: payments that have a page; `topups`, `refunds`, `withdrawals`: ids, oldest first."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.topups: list[tuple[str, str]] = []
        self.payments: list[str] = []

    def new_id(self, prefix: str) -> str:
        return derived_id(prefix, self.town.ctx.now(), str(self.town.next_number()))

    # -- drivers and guests -------------------------------------------------------------------------------------

    @within_the_limit
    def tops_up(self, driver_no: int, amount: int | None, death: Death, breaks: str) -> None:
        """By the package where `amount` is None."""
        town = self.town
        topup_id, payment_id = self.new_id("top"), self.new_id("pay")
        package = town.package if amount is None else None

        def work() -> None:
            _, payment = decide_and_commit(
                town.ctx,
                lambda uow: wallets.begin_topup(
                    uow,
                    topup_id=topup_id,
                    payment_id=payment_id,
                    driver_id=town.drivers[driver_no].driver_id,
                    amount=town.package.amount if amount is None else euro(amount),
                    package=package,
                ),
            )
            decide_and_commit(town.ctx, lambda uow: payments.open_checkout(uow, town.till.provider, payment))

        town.act(work, death, breaks)
        if wallets.find_topup(town.ctx, topup_id) is None:
            return  # its bonus is more than the operator may owe
        self.topups.append((topup_id, payment_id))
        self.payments.append(payment_id)

    def requests(self, driver_no: int, evse_no: int, amount: int | None, death: Death) -> str:
        session_id = self.new_id("ses")

        def decide(uow: UnitOfWork) -> None:
            if lookup.find_session(uow.ctx, session_id) is not None:
                return  # the endpoint finds the answer under the request's key
            charging.request_session(
                uow,
                session_id=session_id,
                driver_id=self.town.drivers[driver_no].driver_id,
                charger_id=self.town.site.charger.charger_id,
                evse_no=evse_no,
                amount=None if amount is None else euro(amount),
            )

        return self.town.commit(decide, death)

    def orders(self, evse_no: int, amount: int | None, death: Death, breaks: str) -> str:
        """A guest's order, and the page to pay it on."""
        town = self.town
        session_id, payment_id = self.new_id("ses"), self.new_id("pay")

        def order(uow: UnitOfWork) -> Payment:
            return guests.order_charge(
                uow,
                session_id=session_id,
                payment_id=payment_id,
                charger_id=town.site.charger.charger_id,
                evse_no=evse_no,
                email=EMAIL,
                amount=None if amount is None else euro(amount),
                limits=None,
            )[1]

        def work() -> None:
            payment = decide_and_commit(town.ctx, order)
            decide_and_commit(town.ctx, lambda uow: payments.open_checkout(uow, town.till.provider, payment))

        done = town.act(work, death, breaks)
        if payments.find_payment(town.ctx, payment_id) is not None:
            self.payments.append(payment_id)
        return done

    def payment(self, number: int) -> Payment | None:
        """One that has a page."""
        if not self.payments:
            return None
        payment = payments.require_payment(self.town.ctx, self.payments[number % len(self.payments)])
        return payment if page(payment) in self.town.till.provider.outcomes else None

    def pays(self, number: int, how: str) -> None:
        payment = self.payment(number)
        if payment is None:
            return
        provider, ref = self.town.till.provider, page(payment)
        if provider.outcomes[ref].captured is not None or provider.outcomes[ref].authorized is not None:
            return
        if how == "good":  # also after the end of the page: late money
            self._pay(payment)
        elif how == "expire":
            provider.close(ref, CheckoutState.EXPIRED)
        else:
            provider.decline(ref, final=how == "refuse")

    def _pay(self, payment: Payment) -> None:
        provider, ref = self.town.till.provider, page(payment)
        if payment.capture == "manual":
            provider.authorize(ref)
        else:
            provider.pay(ref)
        self.town.till.tell_fee(payment, self.town.till.fee)

    def calls_off(self, number: int, death: Death) -> str:
        session = self._open(number)
        if session is None:
            return "nothing"

        def decide(uow: UnitOfWork) -> None:
            present = lookup.require_session(uow.ctx, session.session_id)
            if present.is_open:
                charging.cancel_or_stop(uow, present, requested_by="driver")

        return self.town.commit(decide, death)

    def says_what_happened(self, number: int, death: Death) -> str:
        """The driver of some abnormal order."""
        due = self.statements_due()
        if not due:
            return "nothing"
        session_id = due[number % len(due)].session_id

        def decide(uow: UnitOfWork) -> None:
            session = lookup.require_session(uow.ctx, session_id)
            reviewing.make_statement(
                uow,
                order_lookup.require_order(uow.ctx, session),
                what_happened="charged_less",
                text="It stopped by itself.",
                claimed_energy_wh=None,
            )

        return self.town.commit(decide, death)

    # -- the charger --------------------------------------------------------------------------------------------

    def begins(self, evse_no: int, presents: Presents, death: Death) -> str:
        """Whatever was running there has lost its end."""
        town = self.town
        self.loses(evse_no)
        number = town.next_number()
        began_at, began_wh = town.ctx.now(), town.registers[evse_no]
        frame = partial(
            charging.start_by_charger,
            charger=town.site.charger,
            evse_no=evse_no,
            id_token=self._token(evse_no, presents),
            meter_start_wh=began_wh,
            started_at=began_at,
            message_id=f"start-{number}",
        )
        told: list[int] = []
        done = town.act(lambda: told.append(decide_and_commit(town.ctx, frame).transaction_id), death)
        assert len(set(told)) == 1, "a start that is told again is the same transaction"
        town.running[evse_no] = Delivery(told[-1], evse_no, began_at, began_wh)
        return done

    def _token(self, evse_no: int, presents: Presents) -> str:
        present = lookup.look_at(self.town.ctx, self.town.site.charger.charger_key, evse_no).present
        if presents == "what is asked for" and present is not None and present.is_pending:
            return present.id_token
        return "A-STRANGER" if presents == "a strange card" else CARD

    def meters(self, evse_no: int, by_wh: int, death: Death) -> str:
        town = self.town
        town.next_number()
        delivery = town.running.get(evse_no)
        if delivery is None:
            return "nothing"
        town.registers[evse_no] += by_wh
        sample = MeterSample(town.ctx.now(), energy_wh=town.registers[evse_no], power_w=7000)
        frame = partial(
            charging.record_meter_values,
            charger=town.site.charger,
            evse_no=evse_no,
            transaction_id=delivery.transaction_id,
            samples=[sample],
        )
        return town.commit(frame, death)

    def ends(self, evse_no: int, by_wh: int, death: Death) -> str:
        delivery = self.town.running.pop(evse_no, None)
        if delivery is None:
            return "nothing"
        self.town.registers[evse_no] += by_wh
        return self._tell_end(delivery, self.town.registers[evse_no], death)

    def loses(self, evse_no: int) -> None:
        """The charger forgets to tell the end; it may come back to it."""
        delivery = self.town.running.pop(evse_no, None)
        if delivery is not None:
            self.town.lost.append(delivery)

    def ends_late(self, number: int, wh: int, death: Death) -> str:
        """What it has never told."""
        lost = self.town.lost
        if not lost:
            return "nothing"
        delivery = lost.pop(number % len(lost))
        return self._tell_end(delivery, delivery.began_wh + wh, death)

    def ends_again(self, number: int, death: Death) -> str:
        """A frame that was sent before."""
        ended = self.town.ended
        return self.town.act(ended[number % len(ended)], death) if ended else "nothing"

    def _tell_end(self, delivery: Delivery, register_wh: int, death: Death) -> str:
        town = self.town
        town.next_number()
        frame = partial(
            charging.stop_by_charger,
            charger=town.site.charger,
            transaction_id=delivery.transaction_id,
            meter_stop_wh=register_wh,
            stopped_at=town.ctx.now(),
            reason="Local",
            id_token=None,
            samples=[],
        )
        town.ended.append(lambda: decide_and_commit(town.ctx, frame))
        return town.act(town.ended[-1], death)

    # -- deadlines ----------------------------------------------------------------------------------------------

    def deadline(self, number: int, action: str, death: Death) -> str:
        """A task of the workflow, in or out of time."""
        session = self._open(number)
        if session is None:
            return "nothing"
        return self.closes(session, action, death)

    def closes(self, session: ChargingSession, action: str, death: Death = None) -> str:
        self.town.next_number()
        event = {"session_id": session.session_id, "action": action}
        return self.town.act(lambda: charging_jobs.session_close(event, None), death)

    def sweeps(self, seconds: int, death: Death) -> str:
        self.town.world.advance(seconds)
        return self.town.act(lambda: self.town.world.run_job(charging_jobs.sweep_sessions), death)

    def _open(self, number: int) -> ChargingSession | None:
        found = self.town.open_sessions()
        return found[number % len(found)] if found else None

    # -- what is there ------------------------------------------------------------------------------------------

    def orders_waiting(self) -> list[AbnormalOrder]:
        """For the operator."""
        return [order for order in self._abnormal_orders() if order.resolution is None]

    def statements_due(self) -> list[AbnormalOrder]:
        return [order for order in self._abnormal_orders() if order.is_statement_due]

    def _abnormal_orders(self) -> list[AbnormalOrder]:
        return order_lookup.list_orders(
            self.town.ctx, self.town.operator_id, OrderFilter(), limit=100, cursor=None
        ).data
