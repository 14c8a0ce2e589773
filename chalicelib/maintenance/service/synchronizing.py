"""Local authorization lists: of the cards that `offline_cards` composes, sent page by page, each after the other's yes.

One synchronisation per charger at a time; its state is one row. `held` is what the charger is known to have, `wanted`
what it shall have; the pages follow from the two, so that a page is made again the same after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.chargers.model.configuration import variable_key
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance.model.local_lists import (
    ListContent,
    ListLimits,
    LocalList,
    LocalListState,
    changes_between,
    keeps_lists,
    limits_of,
    next_versions,
    pages_of,
)
from chalicelib.maintenance.model.offline_cards import (
    AFTER_BUSY,
    AFTER_OFFLINE,
    FORGOTTEN_AFTER,
    Composition,
    digest_of,
)
from chalicelib.maintenance.service.offline_cards import compose_cards, mark_charger_due
from chalicelib.maintenance.store import LIST_CONTENTS, LOCAL_LISTS, LocalListRow, content_key, list_key

INTENT: Final = "send_local_list"
REQUESTED_BY: Final = "local_list_policy"
_MAX_DETAIL: Final = 500


def get_local_list(ctx: Context, charger: Charger) -> LocalList:
    known = LOCAL_LISTS.get(ctx, *list_key(charger.charger_id))
    return known or LocalList(charger.charger_id, charger.operator_id)


def synchronize_local_list(uow: UnitOfWork, charger: Charger, *, full: bool, requested_by: str) -> LocalList:
    """Sends what differs between the cards that the charger is to know and what it has; all of it if `full`, or where
    nobody knows what it has. While one is under way, and where nothing differs, nothing changes.

    Raises command.queue_full.
    """
    known = get_local_list(uow.ctx, charger)
    if known.is_busy(uow.ctx.now()):
        return known
    limits = limits_of(_told(uow.ctx, charger))
    composition = compose_cards(uow.ctx, charger.operator_id)
    return _begin(uow, charger, known, composition, limits, full=full, requested_by=requested_by)


def synchronize_automatically(uow: UnitOfWork, charger: Charger, composition: Composition) -> None:
    """As by hand, where the charger is to be told without being asked for: placed, not excluded, keeping lists, and
    not known to have these very cards. One that is busy or away is marked, and has its turn later.

    Raises command.queue_full.
    """
    ctx = uow.ctx
    now = ctx.now()
    known = get_local_list(ctx, charger)
    if not charger.is_placed or known.excluded or not _may_keep(known, charger):
        return
    if known.is_busy(now):
        mark_charger_due(uow, charger, AFTER_BUSY)
    elif not _is_up_to_date(uow, known, charger, composition):
        link = chargers.get_link(ctx, charger.charger_id)
        if link is None or link.connection_id is None:
            if known.state != "outdated":
                _save(uow, known, replace(known, state="outdated", detail="the charger is offline"))
            if link is not None and link.last_seen_at is not None and now - link.last_seen_at < FORGOTTEN_AFTER:
                mark_charger_due(uow, charger, AFTER_OFFLINE)
            return
        told = _told(ctx, charger)
        if keeps_lists(told):
            _begin(uow, charger, known, composition, limits_of(told), full=False, requested_by=REQUESTED_BY)
        else:
            _save(uow, known, _without_lists(known, charger, "it says that it keeps no list"))


def exclude_charger(uow: UnitOfWork, charger: Charger, *, excluded: bool) -> LocalList:
    """From now on the charger is told by hand only, or (again) without being asked for. What it has stays there."""
    known = get_local_list(uow.ctx, charger)
    if known.excluded == excluded:
        return known
    if not excluded:
        mark_charger_due(uow, charger, timedelta(0))
    return _save(uow, known, replace(known, excluded=excluded))


def _may_keep(known: LocalList, charger: Charger) -> bool:
    """One that keeps no lists is asked again when it has other firmware."""
    return known.state != "not_supported" or known.firmware != charger.firmware_version


def _is_up_to_date(uow: UnitOfWork, known: LocalList, charger: Charger, composition: Composition) -> bool:
    """Without reading what it has: it was sent these entries, or was never sent any and there are none."""
    if known.version == 0 and known.state == "unknown" and not composition.entries:
        return True
    if known.state != "synchronized" or known.room is None or known.operator_id != charger.operator_id:
        return False
    entries, left_out = composition.within(known.room)
    if known.digest != digest_of(entries):
        return False
    if known.left_out != left_out:
        _save(uow, known, replace(known, left_out=left_out))
    return True


def _begin(
    uow: UnitOfWork,
    charger: Charger,
    known: LocalList,
    composition: Composition,
    limits: ListLimits,
    *,
    full: bool,
    requested_by: str,
) -> LocalList:
    entries, left_out = composition.within(limits.whole)
    wanted = ListContent(charger.charger_id, "wanted", entries)
    is_full = full or not known.knows_content
    changes = _changes(uow.ctx, charger.charger_id, wanted, is_full)
    sought = replace(
        known,
        operator_id=charger.operator_id,
        digest=digest_of(entries),
        room=limits.whole,
        left_out=left_out,
    )
    if not changes and not is_full:
        ready = replace(sought, state="synchronized", detail="")
        return known if ready == known else _save(uow, known, ready)
    pages = pages_of(changes, limits.page)
    after = replace(
        sought,
        state="synchronizing",
        firmware=None,
        is_full=is_full,
        was_repeated=False,
        knows_content=False,
        page_entries=limits.page,
        pages=len(pages),
        pages_sent=0,
        sending_version=next_versions(known.version, len(pages)),
        requested_by=requested_by,
        detail="",
    )
    uow.put(LIST_CONTENTS, wanted, name="local list content")
    return _send(uow, known, after, pages)


def send_next_page(uow: UnitOfWork, charger_id: str) -> None:
    """Queues the page that is due, once. Raises command.queue_full: try later."""
    known = LOCAL_LISTS.get(uow.ctx, *list_key(charger_id))
    if known is None or known.state != "synchronizing" or known.queued_version == known.sending_version:
        return
    wanted = LIST_CONTENTS.get(uow.ctx, *content_key(charger_id, "wanted"))
    if wanted is None:
        return
    _send(uow, known, known, pages_of(_changes(uow.ctx, charger_id, wanted, known.is_full), known.page_entries))


def record_local_list_answer(uow: UnitOfWork, charger_id: str, version: int, status: str) -> None:
    """What the charger said to SendLocalList (its status word, or why there is none), ours or an operator's own.

    Accepted: the next page, or the end. Failed and VersionMismatch: the whole list again, once. A list that an
    operator sent by hand leaves the charger with what we do not know.
    """
    known = _known(uow.ctx, charger_id)
    if known is None:
        return
    if known.state != "synchronizing":
        if status == "Accepted":
            after = replace(known, state="outdated", version=version, knows_content=False, detail="changed by hand")
            _save(uow, known, after)
        return
    if known.sending_version != version:
        return
    if status == "Accepted":
        _page_accepted(uow, known, version)
    elif status in ("Failed", "VersionMismatch") and not known.was_repeated:
        _begin_again(uow, known, status)
    elif "NotSupported" in status or "NotImplemented" in status:
        _save(uow, known, _without_lists(known, chargers.get_charger(uow.ctx, charger_id), status))
    else:
        _save(uow, known, _ended(known, "failed", status))


def record_local_list_version(uow: UnitOfWork, charger_id: str, version: int) -> None:
    """What the charger said to GetLocalListVersion: 0 is an empty list, -1 (OCPP 1.6 5.10) that it has none at all.
    Another version than ours means a list that we do not know."""
    known = _known(uow.ctx, charger_id)
    if known is None or known.is_busy(uow.ctx.now()):
        return
    if version < 0:
        if known.state != "not_supported":
            charger = chargers.get_charger(uow.ctx, charger_id)
            _save(uow, known, _without_lists(known, charger, f"version {version}"))
    elif version != known.version:
        detail = f"the charger has version {version}, we knew of {known.version}"
        _save(uow, known, replace(known, state="outdated", version=version, knows_content=False, detail=detail))


def _told(ctx: Context, charger: Charger) -> Callable[[str], str | None]:
    """The value of a variable of the charger's configuration, as far as it is known."""
    known = chargers.get_configuration(ctx, charger).known

    def told(name: str) -> str | None:
        variable = known.get(variable_key(name))
        return None if variable is None else variable.value

    return told


def _page_accepted(uow: UnitOfWork, known: LocalList, version: int) -> None:
    sent = replace(known, version=version, pages_sent=known.pages_sent + 1, detail="")
    if sent.pages_sent < sent.pages:
        _save(uow, known, replace(sent, sending_version=version + 1))
        _emit(uow, known.charger_id)
        return
    wanted = LIST_CONTENTS.get(uow.ctx, *content_key(known.charger_id, "wanted"))
    entries = {} if wanted is None else wanted.entries
    uow.put(LIST_CONTENTS, ListContent(known.charger_id, "held", entries), name="local list content")
    after = replace(
        sent,
        state="synchronized",
        sending_version=None,
        queued_version=None,
        knows_content=True,
        entry_count=len(entries),
        synchronized_at=uow.ctx.now(),
    )
    _save(uow, known, after)


def _begin_again(uow: UnitOfWork, known: LocalList, status: str) -> None:
    wanted = LIST_CONTENTS.get(uow.ctx, *content_key(known.charger_id, "wanted"))
    entries = {} if wanted is None else wanted.entries
    pages = len(pages_of([entry.payload() for entry in entries.values()], known.page_entries))
    after = replace(
        known,
        is_full=True,
        was_repeated=True,
        pages=pages,
        pages_sent=0,
        sending_version=next_versions(known.sending_version or known.version, pages),
        detail=f"sent again as a whole after {status}",
    )
    _save(uow, known, after)
    _emit(uow, known.charger_id)


def _without_lists(known: LocalList, charger: Charger | None, detail: str) -> LocalList:
    firmware = None if charger is None else charger.firmware_version
    return replace(_ended(known, "not_supported", detail), firmware=firmware)


def _ended(known: LocalList, state: LocalListState, detail: str) -> LocalList:
    return replace(
        known,
        state=state,
        knows_content=False,
        sending_version=None,
        queued_version=None,
        detail=detail[:_MAX_DETAIL],
    )


def _changes(ctx: Context, charger_id: str, wanted: ListContent, is_full: bool) -> list[dict[str, Any]]:
    if is_full:
        return [entry.payload() for entry in wanted.entries.values()]
    held = LIST_CONTENTS.get(ctx, *content_key(charger_id, "held"))
    return changes_between({} if held is None else held.entries, wanted.entries)


def _send(uow: UnitOfWork, known: LocalList, after: LocalList, pages: list[list[dict[str, Any]]]) -> LocalList:
    """Queues the page that is due and saves the state in the same commit."""
    chargers.queue_command(
        uow,
        charger_id=after.charger_id,
        action=INTENT,
        payload={
            "version": after.sending_version,
            "full": after.is_full and after.pages_sent == 0,
            "entries": pages[after.pages_sent],
        },
        requested_by=after.requested_by,
    )
    return _save(uow, known, replace(after, queued_version=after.sending_version))


def _known(ctx: Context, charger_id: str) -> LocalList | None:
    known = LOCAL_LISTS.get(ctx, *list_key(charger_id))
    if known is not None:
        return known
    charger = chargers.get_charger(ctx, charger_id)
    return None if charger is None else LocalList(charger.charger_id, charger.operator_id)


def _save(uow: UnitOfWork, before: LocalList, after: LocalList) -> LocalList:
    unchanged = LocalListRow.pk.does_not_exist() if before.revision == 0 else LocalListRow.revision == before.revision
    saved = replace(after, revision=before.revision + 1, changed_at=uow.ctx.now())
    uow.put(LOCAL_LISTS, saved, condition=unchanged, name="local list")
    return saved


def _emit(uow: UnitOfWork, charger_id: str) -> None:
    outbox.emit(uow, "local_list.advanced", charger_id, {"charger_id": charger_id})
