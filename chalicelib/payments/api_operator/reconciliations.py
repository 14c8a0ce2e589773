"""Reconciliations, for the platform's people: what payment providers say of a day, what the books say, what differs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from chalicelib.kernel.errors import forbidden, not_found
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.payments import service
from chalicelib.payments.api_operator.common import api
from chalicelib.payments.model import (
    ByCurrency,
    Difference,
    DifferenceCode,
    DifferenceState,
    ItemKind,
    Reconciliation,
    ReconciliationState,
)
from chalicelib.payments.providers import PROVIDERS

SHOWN_DIFFERENCES = 100

NoteText = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


class ProviderQuery(Shape):
    """None: the provider through which the platform is paid now."""

    provider: str | None = None


class DayQuery(PageQuery):
    provider: str | None = None


class SumsView(Shape):
    """What came to us, less what went, in one currency: `ours` by the books, `theirs` by the provider."""

    currency: str
    ours: Money
    theirs: Money
    difference: Money


class ReconciliationView(Shape):
    """A UTC day. While it is running, `hours` of it are compared. `opened` differences were new and somebody was told,
    `settling` have time until the next day, `healed` were made good by asking the provider again; `booked` movements
    were between the provider and us alone, and are in the books by this."""

    day: str
    provider: str
    state: ReconciliationState
    started_at: datetime
    finished_at: datetime | None
    requested_by: str | None
    hours: int
    movements: int
    entries: int
    booked: int
    opened: int
    settling: int
    healed: int
    totals: list[SumsView]


class DifferenceView(Shape):
    """One thing about which provider and books do not agree. `code`: missing_here, missing_there, amount, currency,
    fee, state (we have it, in a state in which no money moves), dispute, unknown_kind. `item_id` is ours where there
    is one; `source_ref` the provider's. `closed_by` is "itself" where both agree again."""

    difference_id: str
    provider: str
    kind: ItemKind
    item_id: str
    state: DifferenceState
    code: DifferenceCode | None
    detail: str
    sums: list[SumsView]
    payment_id: str | None
    refund_id: str | None
    source_ref: str | None
    first_at: datetime
    latest_at: datetime
    found_at: datetime
    opened_at: datetime | None
    healed_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


class ReconciliationDetail(ReconciliationView):
    """With what did not match, at most 100; see `GET /v1/reconciliations/{day}/differences`."""

    differences: list[DifferenceView]


class ReconciliationCreate(Shape):
    """A UTC day that is over."""

    day: date
    provider: str | None = None


class DifferenceClose(Shape):
    """What it was, and what was done about it."""

    note: NoteText


@api.get("/v1/reconciliations", permission="payments:read")
def list_reconciliations(req: Request, query: PageQuery) -> PageView[ReconciliationView]:
    """Days, newest first."""
    _platform(req)
    return page_view(service.list_reconciliations(req.ctx, limit=query.limit, cursor=query.cursor), _view)


@api.post("/v1/reconciliations", permission="payments:refund", status=202)
def create_reconciliation(req: Request, body: ReconciliationCreate) -> ReconciliationView:
    """Compares a day, or compares it again."""
    _platform(req)
    provider = _provider(req, body.provider)
    day = body.day.isoformat()
    before = service.find_reconciliation(req.ctx, day, provider)
    begun = service.begin_reconciliation(req.uow, day, provider, requested_by=req.actor.person_id)
    req.audit("reconciliation", day, before=before and _view(before), after=_view(begun))
    return _view(begun)


@api.get("/v1/reconciliations/{day}", permission="payments:read")
def get_reconciliation(req: Request, day: str, query: ProviderQuery) -> ReconciliationDetail:
    """One day with what did not match."""
    _platform(req)
    found = service.require_reconciliation(req.ctx, day, _provider(req, query.provider))
    page = service.list_differences_of_day(req.ctx, found.provider, day, limit=SHOWN_DIFFERENCES)
    values = msgspec.structs.asdict(_view(found))
    return ReconciliationDetail(**values, differences=[_difference_view(difference) for difference in page.data])


@api.get("/v1/reconciliations/{day}/differences", permission="payments:read")
def list_differences_of_day(req: Request, day: str, query: DayQuery) -> PageView[DifferenceView]:
    """What did not match on a day, whatever became of it."""
    _platform(req)
    found = service.require_reconciliation(req.ctx, day, _provider(req, query.provider))
    page = service.list_differences_of_day(req.ctx, found.provider, day, limit=query.limit, cursor=query.cursor)
    return page_view(page, _difference_view)


@api.get("/v1/reconciliation-differences", permission="payments:read")
def list_open_differences(req: Request, query: PageQuery) -> PageView[DifferenceView]:
    """What is open or settles, of all days."""
    _platform(req)
    return page_view(
        service.list_unclosed_differences(req.ctx, limit=query.limit, cursor=query.cursor), _difference_view
    )


@api.post("/v1/reconciliation-differences/{difference_id}/close", permission="payments:refund", status=200)
def close_difference(req: Request, difference_id: str, body: DifferenceClose) -> DifferenceView:
    """Notes that somebody has seen to it. If anything about it changes, it is open again."""
    _platform(req)
    before = service.require_difference(req.ctx, difference_id)
    closed = service.close_difference(req.uow, difference_id, by=req.actor.person_id, note=body.note)
    req.audit("difference", difference_id, before=_difference_view(before), after=_difference_view(closed))
    return _difference_view(closed)


def _platform(req: Request) -> None:
    if not req.actor.is_platform:
        raise forbidden("The platform's people compare providers' lists with the books.")


def _provider(req: Request, name: str | None) -> str:
    wanted = name or req.ctx.settings.payment_provider
    if wanted not in PROVIDERS:
        raise not_found("payment_provider", wanted)
    return wanted


def _view(reconciliation: Reconciliation) -> ReconciliationView:
    hours = reconciliation.hours.values()
    own = ("day", "provider", "state", "started_at", "finished_at", "requested_by", "opened", "settling", "healed")
    return ReconciliationView(
        **{name: getattr(reconciliation, name) for name in own},
        hours=len(hours),
        movements=sum(hour.movements for hour in hours),
        entries=sum(hour.entries for hour in hours),
        booked=sum(hour.booked for hour in hours),
        totals=_sums(reconciliation.totals),
    )


def _difference_view(difference: Difference) -> DifferenceView:
    values = {name: getattr(difference, name) for name in DifferenceView.__struct_fields__}
    return DifferenceView(**(values | {"sums": _sums(difference.sums)}))


def _sums(totals: ByCurrency) -> list[SumsView]:
    return [
        SumsView(
            currency=currency,
            ours=Money(sums.ours, currency),
            theirs=Money(sums.theirs, currency),
            difference=Money(sums.difference, currency),
        )
        for currency, sums in totals.items()
    ]
