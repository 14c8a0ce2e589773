"""An id token of the platform as an OCPP 2.x IdTokenType. Pure.

The platform keeps the text alone; 2.x also wants to know where it comes from, and chargers compare both.
"""

from __future__ import annotations

import re
from typing import Final

from chalicelib.ocpp.frames import Payload

_ISO14443_UID: Final = re.compile(r"(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})", re.IGNORECASE)
"""ISO 14443-3: a UID has 4, 7 or 10 bytes."""
_ISO15693_UID: Final = re.compile(r"E0[0-9A-F]{14}", re.IGNORECASE)
"""ISO 15693-3: 8 bytes, the first is E0."""


def central(id_token: str) -> Payload:
    """What the platform itself made: in a remote start (F01, F02), for groups."""
    return {"idToken": id_token, "type": "Central"}


def presented(id_token: str) -> Payload:
    """What somebody will hold before the reader: a card by the form of its UID, else something of the platform's."""
    if _ISO14443_UID.fullmatch(id_token):
        return {"idToken": id_token, "type": "ISO14443"}
    if _ISO15693_UID.fullmatch(id_token):
        return {"idToken": id_token, "type": "ISO15693"}
    return central(id_token)
