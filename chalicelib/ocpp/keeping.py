"""How what an answer tells is kept: the bridge from a `CommandRoute.on_answer` to the versions' `commands/answers/`.

For what operators ask in raw OCPP; what the platform itself asked ends in `ocpp/intents.py`. The invariant: an answer
that never came, or of a charger that is gone, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Command
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Answer

Keep = Callable[[UnitOfWork, Charger, Payload, Payload], None]
"""`(uow, charger, asked, answer)`: the payloads of our request and of the charger's CALLRESULT."""


@dataclass(frozen=True, slots=True)
class KeptBy:
    """A `CommandRoute.on_answer` that stores for a charger what its answer tells."""

    keep: Keep

    def __call__(self, uow: UnitOfWork, command: Command, answer: Answer) -> None:
        charger = chargers.get_charger(uow.ctx, command.charger_id) if answer.payload else None
        if charger is not None:
            self.keep(uow, charger, command.payload, answer.payload)
