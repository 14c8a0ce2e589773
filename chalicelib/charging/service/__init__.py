"""The use cases of charging, one module each. None of them commits; all may be decided again from fresh reads."""

from typing import TYPE_CHECKING

from chalicelib.charging.service.authorizing import authorize_id_token
from chalicelib.charging.service.limiting import look_at_limits
from chalicelib.charging.service.metering import record_meter_values
from chalicelib.charging.service.reserving import (
    cancel_reservation,
    check_open_reservations,
    handle_cancellation_answer,
    handle_reservation_answer,
    handle_reservation_update,
    is_reservation_wanted,
    request_reservation,
)
from chalicelib.charging.service.starting import StartOutcome, start_by_charger
from chalicelib.charging.service.stopping import stop_by_charger
from chalicelib.charging.service.transactions import record_transaction_event
from chalicelib.charging.service.watching import (
    contact_of,
    expire_request,
    give_up_session,
    handle_remote_start_answer,
    handle_remote_stop_answer,
    is_start_awaited,
    press_stop,
    request_stop,
)
from chalicelib.kernel import lazy

if TYPE_CHECKING:
    from chalicelib.charging.service.costing import cost_energy
    from chalicelib.charging.service.freshening import ask_for_fresh_values, handle_trigger_answer
    from chalicelib.charging.service.requesting import (
        cancel_or_stop,
        check_can_pay,
        check_may_ask,
        may_start,
        request_session,
    )
    from chalicelib.charging.service.sweeping import sweep_session

__all__ = [
    "StartOutcome",
    "ask_for_fresh_values",
    "authorize_id_token",
    "cancel_or_stop",
    "cancel_reservation",
    "check_can_pay",
    "check_may_ask",
    "check_open_reservations",
    "contact_of",
    "cost_energy",
    "expire_request",
    "give_up_session",
    "handle_cancellation_answer",
    "handle_remote_start_answer",
    "handle_remote_stop_answer",
    "handle_reservation_answer",
    "handle_reservation_update",
    "handle_trigger_answer",
    "is_reservation_wanted",
    "is_start_awaited",
    "look_at_limits",
    "may_start",
    "press_stop",
    "record_meter_values",
    "record_transaction_event",
    "request_reservation",
    "request_session",
    "request_stop",
    "start_by_charger",
    "stop_by_charger",
    "sweep_session",
]

__getattr__ = lazy.names_in(
    __name__,
    {
        "costing": ("cost_energy",),
        "freshening": ("ask_for_fresh_values", "handle_trigger_answer"),
        "requesting": ("cancel_or_stop", "check_can_pay", "check_may_ask", "may_start", "request_session"),
        "sweeping": ("sweep_session",),
    },
)
