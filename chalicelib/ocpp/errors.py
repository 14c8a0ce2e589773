"""CALLERROR codes of OCPP-J, per version. Pure; versions pick a table, the gateway speaks in `Failure`s.

A code that a version does not have is never sent in it: 1.6 spells `FormationViolation` and, by a typo that its
errata declare permanent, `OccurenceConstraintViolation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from chalicelib.ocpp.frames import Fault


class Failure(Enum):
    """Why a CALL gets no result."""

    NOT_IMPLEMENTED = "not_implemented"  # an action that this version does not have
    NOT_SUPPORTED = "not_supported"  # one that it has and we do not serve
    FORMATION = "formation"
    PROTOCOL = "protocol"  # a required field is missing
    OCCURRENCE = "occurrence"
    TYPE = "type"
    PROPERTY = "property"
    SECURITY = "security"
    FRAMEWORK = "framework"  # 2.x: the message is no OCPP-J message at all
    MESSAGE_TYPE = "message_type"  # 2.x: a message type number that it does not have
    INTERNAL = "internal"


ErrorCodes = Mapping[Failure, str]

V16_CODES: Final[ErrorCodes] = {
    Failure.NOT_IMPLEMENTED: "NotImplemented",
    Failure.NOT_SUPPORTED: "NotSupported",
    Failure.FORMATION: "FormationViolation",
    Failure.PROTOCOL: "ProtocolError",
    Failure.OCCURRENCE: "OccurenceConstraintViolation",
    Failure.TYPE: "TypeConstraintViolation",
    Failure.PROPERTY: "PropertyConstraintViolation",
    Failure.SECURITY: "SecurityError",
    Failure.FRAMEWORK: "FormationViolation",
    Failure.MESSAGE_TYPE: "FormationViolation",
    Failure.INTERNAL: "InternalError",
}
"""OCPP-J 1.6, 4.2.3 table 7."""

V16_FAULTS: Final[Mapping[Fault, Failure | None]] = {
    Fault.UNREADABLE: None,
    Fault.NOT_JSON: Failure.FORMATION,
    Fault.NOT_A_FRAME: None,
    Fault.MESSAGE_TYPE: None,  # 4.1.3: the payload of an unknown message type is ignored
    Fault.NEWER_TYPE: None,
    Fault.MESSAGE_ID: Failure.FORMATION,
    Fault.ELEMENT_COUNT: Failure.FORMATION,
    Fault.ACTION: Failure.NOT_IMPLEMENTED,
    Fault.PAYLOAD: Failure.FORMATION,
}
"""What 1.6 answers to a malformed frame; None is silence."""

V2_CODES: Final[ErrorCodes] = {
    Failure.NOT_IMPLEMENTED: "NotImplemented",
    Failure.NOT_SUPPORTED: "NotSupported",
    Failure.FORMATION: "FormatViolation",
    Failure.PROTOCOL: "OccurrenceConstraintViolation",
    Failure.OCCURRENCE: "OccurrenceConstraintViolation",
    Failure.TYPE: "TypeConstraintViolation",
    Failure.PROPERTY: "PropertyConstraintViolation",
    Failure.SECURITY: "SecurityError",
    Failure.FRAMEWORK: "RpcFrameworkError",
    Failure.MESSAGE_TYPE: "MessageTypeNotSupported",
    Failure.INTERNAL: "InternalError",
}
"""OCPP 2.0.1 part 4, 4.3 table 8; 2.1 has the same."""

V2_FAULTS: Final[Mapping[Fault, Failure | None]] = {
    Fault.UNREADABLE: Failure.FRAMEWORK,
    Fault.NOT_JSON: Failure.FRAMEWORK,
    Fault.NOT_A_FRAME: Failure.FRAMEWORK,
    Fault.MESSAGE_TYPE: Failure.MESSAGE_TYPE,
    Fault.NEWER_TYPE: Failure.MESSAGE_TYPE,
    Fault.MESSAGE_ID: Failure.FRAMEWORK,
    Fault.ELEMENT_COUNT: Failure.FRAMEWORK,
    Fault.ACTION: Failure.FRAMEWORK,
    Fault.PAYLOAD: Failure.FORMATION,
}
"""What 2.0.1 answers to a malformed frame (part 4, 4.2.3 and 4.4); under the id "-1" where its own cannot be read."""

V21_FAULTS: Final[Mapping[Fault, Failure | None]] = {**V2_FAULTS, Fault.NEWER_TYPE: None}
"""As 2.0.1; but CALLRESULTERROR and SEND are messages of 2.1 that are never answered (part 4, 4.2.4)."""
