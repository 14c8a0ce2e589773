"""What the answers to an operator's commands tell, kept where a person would look: one file per noun.

Every function here stores for a charger what `asked` and the answer say together. An answer that never came has an
empty payload and changes nothing.
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
    """A `CommandRoute.on_answer`: only what was answered, and of a charger that is still there.

    A record and not a closure: infra/iam follows records to the functions they hold, but takes all closures of one
    function for one.
    """

    keep: Keep

    def __call__(self, uow: UnitOfWork, command: Command, answer: Answer) -> None:
        charger = chargers.get_charger(uow.ctx, command.charger_id) if answer.payload else None
        if charger is not None:
            self.keep(uow, charger, command.payload, answer.payload)
