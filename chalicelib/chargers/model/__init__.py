"""What the network is made of, and its rules. Pure: no I/O, no AWS, no HTTP.

`places` locations, chargers, EVSEs; `groups` of chargers; `claims` on chargers in stock; `handshake` who may connect;
`links` who is connected; `commands` what we ask chargers to do; `configuration` what they are set to, `templates` and
`built_in` what they are to be set to, `configuring` how they get there; `web_payments` codes on their displays; `map`
how locations stand, `geo` and `nearby` how they are found by where they are.
"""

from chalicelib.chargers.model.claims import SerialNumber
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
    request_topic,
)
from chalicelib.chargers.model.configuration import ConfigurationPart, Variable, is_secret, variable_key
from chalicelib.chargers.model.groups import ChargerGroup, GroupMember
from chalicelib.chargers.model.handshake import (
    Accepted,
    ConnectionAttempt,
    Handshake,
    Refused,
    Viewer,
    decide_handshake,
    password_hash,
)
from chalicelib.chargers.model.links import HEARTBEAT_INTERVAL_S, LIFE_SIGN_INTERVAL, Connection, Link
from chalicelib.chargers.model.places import (
    MAX_EVSES,
    MAX_REPORTED_CONNECTOR_NO,
    MAX_REPORTED_EVSE_NO,
    Charger,
    Evse,
    EvseCode,
    Location,
    Photo,
    PlaceState,
    charger_key,
    connector_letter,
    is_identity,
    make_code,
    serial_key,
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
    "MAX_REPORTED_CONNECTOR_NO",
    "MAX_REPORTED_EVSE_NO",
    "Accepted",
    "Charger",
    "ChargerGroup",
    "Command",
    "CommandState",
    "ConfigurationPart",
    "Connection",
    "ConnectionAttempt",
    "Evse",
    "EvseCode",
    "FollowUp",
    "GroupMember",
    "Handshake",
    "Link",
    "Location",
    "Photo",
    "PlaceState",
    "Progress",
    "Refused",
    "SerialNumber",
    "Variable",
    "Viewer",
    "charger_key",
    "connector_letter",
    "decide_handshake",
    "is_identity",
    "is_secret",
    "lifetime_of",
    "make_code",
    "password_hash",
    "request_topic",
    "serial_key",
    "variable_key",
]
