"""The map of what is told: outbox event → public event, whose it is, and the GET that shows it. On one screen.

`data` of a message is what the organisation's own GET of the resource answers, at the time of telling: the same fields,
the same scope. What it would not find (404), it is not told. An organisation hears of what is its own, an agency of
what happens at its places, the platform of everything. To add one: a line here, and one in `chalicelib/relay.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.charging import api_operator as sessions
from chalicelib.charging import api_operator_orders as orders
from chalicelib.charging import lookup
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Request
from chalicelib.kernel.outbox import Event
from chalicelib.payments import service as payments
from chalicelib.payments.api_operator import payments as payments_api
from chalicelib.settlement import service as settlement
from chalicelib.settlement.api_operator import settlements, withdrawals
from chalicelib.wallets import service as wallets
from chalicelib.wallets.api_operator import topups

Owners = Callable[[Context, Event], Iterable[str | None]]
Show = Callable[[Request, str], Any]


@dataclass(frozen=True)
class PublicEvent:
    """`permission`: who may not read the resource, does not have it sent. `subject`: the id of the resource."""

    type: str
    title: str
    permission: str
    owners: Owners
    show: Show
    subject: Callable[[Event], str] = lambda event: event.subject


def _of_session(ctx: Context, event: Event) -> Iterable[str | None]:
    session = lookup.find_session(ctx, event.subject)
    return () if session is None else (session.operator_id, session.agency_id)


def _of_payment(ctx: Context, event: Event) -> Iterable[str | None]:
    payment = payments.find_payment(ctx, _payment_id(event))
    return () if payment is None else (payment.operator_id,)


def _of_topup(_ctx: Context, event: Event) -> Iterable[str | None]:
    owners: list[str] = event.payload["organization_ids"]
    return owners


def _of_withdrawal(ctx: Context, event: Event) -> Iterable[str | None]:
    withdrawal = settlement.find_withdrawal(ctx, event.subject)
    return () if withdrawal is None else (withdrawal.organization_id,)


def _of_run(_ctx: Context, event: Event) -> Iterable[str | None]:
    return (str(event.payload["operator_id"]),)


def _payment_id(event: Event) -> str:
    return str(event.payload["payment_id"])


def _show_topup(req: Request, record_id: str) -> topups.TopUpRecordView:
    record = wallets.find_topup_record(req.ctx, req.organization_id, record_id)
    if record is None:
        raise not_found("topup", record_id)
    return topups.record_view(record)


def _session(name: str, title: str) -> PublicEvent:
    return PublicEvent(name, title, "sessions:read", _of_session, sessions.get_session)


def _order(name: str, title: str) -> PublicEvent:
    return PublicEvent(name, title, "sessions:read", _of_session, orders.get_abnormal_order)


def _payment(name: str, title: str) -> PublicEvent:
    return PublicEvent(name, title, "payments:read", _of_payment, payments_api.get_payment, _payment_id)


EVENTS: Final[Mapping[str, PublicEvent]] = {
    "abnormal_order.opened": _order("session.abnormal", "A session was not as it should be"),
    "abnormal_order.resolved": _order("order.resolved", "An abnormal order was resolved"),
    "charging_session.corrected": _session("session.corrected", "A billed session costs something else now"),
    "charging_session.ended": _session("session.completed", "A session has ended and is billed"),
    "charging_session.started": _session("session.started", "A session has begun to charge"),
    "payment.captured": _payment("payment.captured", "A payment was taken from its payer"),
    "payment.refunded": _payment("payment.refunded", "A payment went back, or a part of it"),
    "payment.succeeded": _payment("payment.captured", "A payment was taken from its payer"),
    "settlement_run.posted": PublicEvent(
        "settlement.posted", "A business day is settled", "settlements:read", _of_run, settlements.get_settlement
    ),
    "topup.credited": PublicEvent(
        "topup.completed", "Money came into a wallet", "wallets:read", _of_topup, _show_topup
    ),
    "withdrawal.paid": PublicEvent(
        "withdrawal.paid", "A withdrawal was paid out", "withdrawals:read", _of_withdrawal, withdrawals.get_withdrawal
    ),
}

TYPES: Final[Mapping[str, PublicEvent]] = {public.type: public for public in EVENTS.values()}
"""By the name that customers know."""
