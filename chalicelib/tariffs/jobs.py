"""What happens to tariffs by itself."""

from __future__ import annotations

from chalicelib.kernel.context import Context
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.tariffs import service

_PER_PAGE = 100


def on_rounding_changed(ctx: Context, event: Event) -> None:
    """The subject is an operator: each of its tariffs gets a version that rounds so, for sessions that start from now
    on. One that does already is left alone, so that a second delivery changes nothing."""
    cursor: str | None = None
    while True:
        page = service.list_tariffs(ctx, event.subject, limit=_PER_PAGE, cursor=cursor)
        for tariff in page.data:
            _renew(ctx, tariff.tariff_id)
        cursor = page.next_cursor
        if cursor is None:
            return


def _renew(ctx: Context, tariff_id: str) -> None:
    def decide(uow: UnitOfWork) -> None:
        service.renew_tariff(uow, tariff_id)

    decide_and_commit(ctx, decide)
