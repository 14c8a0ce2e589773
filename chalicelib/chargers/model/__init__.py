"""What the network is made of, and its rules. Pure: no I/O, no AWS, no HTTP.

`places` locations, chargers, EVSEs; `handshake` who may connect; `links` who is connected; `commands` what we ask
chargers to do.
"""

from chalicelib.chargers.model.commands import (
    ANSWER_TIMEOUT,
    COMMAND_LIFECYCLE,
    INTENTS,
    MAX_OUTBOUND,
    MAX_PROGRESS,
    Command,
    CommandState,
    FollowUp,
    Progress,
    lifetime_of,
)
from chalicelib.chargers.model.handshake import (
    PROTOCOLS,
    Accepted,
    ConnectionAttempt,
    Credentials,
    Handshake,
    Refused,
    decide_handshake,
    negotiate,
    parse_authorization,
    password_hash,
)
from chalicelib.chargers.model.links import HEARTBEAT_INTERVAL_S, LIFE_SIGN_INTERVAL, Connection, Link
from chalicelib.chargers.model.places import (
    MAX_EVSES,
    MAX_REPORTED_EVSE_NO,
    Charger,
    Evse,
    EvseCode,
    Location,
    charger_key,
    connector_letter,
    is_identity,
    make_code,
)

__all__ = [
    "ANSWER_TIMEOUT",
    "COMMAND_LIFECYCLE",
    "HEARTBEAT_INTERVAL_S",
    "INTENTS",
    "LIFE_SIGN_INTERVAL",
    "MAX_EVSES",
    "MAX_OUTBOUND",
    "MAX_PROGRESS",
    "MAX_REPORTED_EVSE_NO",
    "PROTOCOLS",
    "Accepted",
    "Charger",
    "Command",
    "CommandState",
    "Connection",
    "ConnectionAttempt",
    "Credentials",
    "Evse",
    "EvseCode",
    "FollowUp",
    "Handshake",
    "Link",
    "Location",
    "Progress",
    "Refused",
    "charger_key",
    "connector_letter",
    "decide_handshake",
    "is_identity",
    "lifetime_of",
    "make_code",
    "negotiate",
    "parse_authorization",
    "password_hash",
]
