"""Imports and exports are worked off behind their events: some commits per delivery, then a further event.

Deliveries may come twice and break off anywhere; what a commit of theirs wrote, its own progress included, stays.
"""

from __future__ import annotations

from typing import Final

from chalicelib.files import service
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit

COMMITS_PER_TURN: Final = 3
"""Some 300 rows, one to three seconds: other events of the stream wait meanwhile, and a batch of 25 that are all
imports ends within the function's minute."""


def on_import_queued(ctx: Context, event: Event) -> None:
    """Goes on with an import: checks rows, writes them, or takes them back."""
    for number in range(1, COMMITS_PER_TURN + 1):
        if not _advance(ctx, event.subject, event.payload["turn"], is_last=number == COMMITS_PER_TURN):
            return


def _advance(ctx: Context, import_id: str, turn: int, *, is_last: bool) -> bool:
    try:
        return decide_and_commit(ctx, lambda uow: service.advance_import(uow, import_id, turn, is_last=is_last))
    except DomainError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
    # Somebody wrote what one of the rows writes. Alone, each can say for itself.
    try:
        return decide_and_commit(
            ctx, lambda uow: service.advance_import(uow, import_id, turn, is_last=is_last, most_rows=1)
        )
    except DomainError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        refusal = error
    return decide_and_commit(
        ctx, lambda uow: service.advance_import(uow, import_id, turn, is_last=is_last, refused=refusal)
    )


def on_export_queued(ctx: Context, event: Event) -> None:
    """Goes on with an export: reads some pages of its list."""
    decide_and_commit(ctx, lambda uow: service.advance_export(uow, event.subject, event.payload["turn"]))
