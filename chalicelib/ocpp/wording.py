"""What a wording is: an intent of the platform (`chargers.model.INTENTS`) in the words of one version. Pure.

Each version's `commands/wordings.py` has one for every intent; `ocpp/outbound.py` says and hears by them. The
invariant: the same command is always said in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.chargers.model import Command
from chalicelib.ocpp.frames import Payload


@dataclass(frozen=True, slots=True)
class Wording:
    """How a version says an intent of the platform: the OCPP action, its payload, and what the answer means.

    `say` gives the payload, or None where this charger cannot be told. `hear` turns the CALLRESULT into the intent's
    neutral answer (`ocpp/intents.py` says which); `accepts` decides where the answer has no plain `status`.
    `action` is a function where one intent takes different actions.
    """

    action: str | Callable[[Command], str]
    say: Callable[[Command], Payload | None]
    hear: Callable[[Payload], Payload] | None = None
    accepts: Callable[[Payload], bool] | None = None
