"""Local authorization lists: composed of the operator's active cards, sent page by page, each after the other's yes.

One synchronisation per charger at a time; its state is one row. `held` is what the charger is known to have, `wanted`
what it shall have; the pages follow from the two, so that a page is made again the same after a crash.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.chargers.model.configuration import variable_key
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import id_token_key
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance.model.local_lists import (
    ListContent,
    ListEntry,
    ListLimits,
    LocalList,
    LocalListState,
    by_key,
    changes_between,
    check_length,
    entry_of,
    limits_of,
    next_versions,
    pages_of,
)
from chalicelib.maintenance.store import LIST_CONTENTS, LOCAL_LISTS, LocalListRow, content_key, list_key

INTENT: Final = "send_local_list"
_CHUNK: Final = 500
_MAX_CHUNKS: Final = 40
_MAX_DETAIL: Final = 500


def get_local_list(ctx: Context, charger: Charger) -> LocalList:
    known = LOCAL_LISTS.get(ctx, *list_key(charger.charger_id))
    return known or LocalList(charger.charger_id, charger.operator_id)


def synchronize_local_list(uow: UnitOfWork, charger: Charger, *, full: bool, requested_by: str) -> LocalList:
    """Sends what differs between the operator's active cards and what the charger has; all of it if `full`, or where
    nobody knows what it has. While one is under way, and where nothing differs, nothing changes.

    Raises local_list.too_long, command.queue_full.
    """
    now = uow.ctx.now()
    known = get_local_list(uow.ctx, charger)
    if known.is_busy(now):
        return known
    limits = _limits(uow.ctx, charger)
    entries = active_entries(uow.ctx, charger.operator_id, limits.whole)
    wanted = ListContent(charger.charger_id, "wanted", entries)
    is_full = full or not known.knows_content
    changes = _changes(uow.ctx, charger.charger_id, wanted, is_full)
    if not changes and not is_full:
        return known
    pages = pages_of(changes, limits.page)
    after = replace(
        known,
        state="synchronizing",
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
        _save(uow, known, _ended(known, "not_supported", status))
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
            _save(uow, known, _ended(known, "not_supported", f"version {version}"))
    elif version != known.version:
        detail = f"the charger has version {version}, we knew of {known.version}"
        _save(uow, known, replace(known, state="outdated", version=version, knows_content=False, detail=detail))


def active_entries(ctx: Context, operator_id: str, most: int) -> dict[str, ListEntry]:
    """The operator's cards that would be accepted now, by their key. Raises local_list.too_long."""
    now = ctx.now()
    found: dict[str, ListEntry] = {}
    cursor: str | None = None
    for _ in range(_MAX_CHUNKS):
        page = drivers.list_operator_cards(ctx, operator_id, status="active", limit=_CHUNK, cursor=cursor)
        for card in page.data:
            if card.verdict(operator_id, now) == "accepted":
                found[id_token_key(card.id_token)] = entry_of(card.id_token, card.expires_at, card.group_id)
        cursor = page.next_cursor
        if cursor is None or len(found) > most:
            break
    check_length(len(found), most)
    return by_key(found.items())


def _limits(ctx: Context, charger: Charger) -> ListLimits:
    known = chargers.get_configuration(ctx, charger).known

    def told(name: str) -> str | None:
        variable = known.get(variable_key(name))
        return None if variable is None else variable.value

    return limits_of(told)


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
