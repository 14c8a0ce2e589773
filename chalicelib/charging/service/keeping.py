"""How a session that is there already is written: by whoever has read its latest revision, else nothing is written.

Called by the modules beside it. A session carries who pays and what is held: two who change it at once must not undo
each other.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.charging.model import ChargingSession
from chalicelib.charging.store.sessions import SESSIONS, SessionRow
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork


def save(uow: UnitOfWork, before: ChargingSession, after: ChargingSession) -> None:
    """Writes the session if nobody changed it since `before` was read; StaleRead at the commit if somebody did."""
    uow.put(
        SESSIONS,
        replace(after, revision=before.revision + 1),
        condition=SessionRow.revision == before.revision,
        on_conflict=StaleRead("The session"),
    )
