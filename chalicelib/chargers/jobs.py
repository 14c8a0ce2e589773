"""Consumers that bring chargers to what is expected of them. Delivered twice, an event finds the work under way."""

from __future__ import annotations

from typing import Final

from chalicelib.chargers import service
from chalicelib.kernel.context import Context
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit

_CHARGERS_PER_EVENT: Final = 25


def on_charger_booted(ctx: Context, event: Event) -> None:
    """`{charger_id}`: looks at its configuration, unless it was looked at a short while ago."""
    charger_id, at = event.payload["charger_id"], event.occurred_at
    decide_and_commit(ctx, lambda uow: service.handle_boot(uow, charger_id, at))


def on_configuration_due(ctx: Context, event: Event) -> None:
    """`{charger_id}`: an answer came, and there is more to ask."""
    charger_id = event.payload["charger_id"]
    decide_and_commit(ctx, lambda uow: service.continue_configuration(uow, charger_id))


def on_settings_changed(ctx: Context, event: Event) -> None:
    """`{charger_id}`: it is to have other settings of its own."""
    charger_id = event.payload["charger_id"]
    decide_and_commit(ctx, lambda uow: service.apply_expected(uow, charger_id, "override"))


def on_template_changed(ctx: Context, event: Event) -> None:
    """`{operator_id, cursor?}`: a page of the operator's chargers; those for which something changed are brought to it.

    The next page comes with an event of its own, so that no delivery takes long.
    """
    operator_id = event.payload["operator_id"]
    page = service.chargers_page(ctx, operator_id, limit=_CHARGERS_PER_EVENT, cursor=event.payload.get("cursor"))
    for charger in page.data:
        _apply_template(ctx, charger.charger_id)
    cursor = page.next_cursor
    if cursor is not None:
        decide_and_commit(ctx, lambda uow: service.continue_after(uow, operator_id, cursor))


def _apply_template(ctx: Context, charger_id: str) -> None:
    decide_and_commit(ctx, lambda uow: service.apply_expected(uow, charger_id, "template"))
