"""The use cases of charging, one module each. None of them commits; all may be decided again from fresh reads."""

from chalicelib.charging.service.authorizing import authorize_id_token
from chalicelib.charging.service.metering import record_meter_values
from chalicelib.charging.service.requesting import cancel_or_stop, request_session
from chalicelib.charging.service.starting import StartOutcome, start_by_charger
from chalicelib.charging.service.stopping import stop_by_charger
from chalicelib.charging.service.watching import (
    expire_request,
    give_up_session,
    handle_remote_start_answer,
    handle_remote_stop_answer,
    is_start_awaited,
    request_stop,
)

__all__ = [
    "StartOutcome",
    "authorize_id_token",
    "cancel_or_stop",
    "expire_request",
    "give_up_session",
    "handle_remote_start_answer",
    "handle_remote_stop_answer",
    "is_start_awaited",
    "record_meter_values",
    "request_session",
    "request_stop",
    "start_by_charger",
    "stop_by_charger",
]
