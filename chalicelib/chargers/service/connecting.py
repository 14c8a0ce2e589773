"""Connections and links: which socket is a charger's, and when it was heard.

`$connect` calls `open_connection` (when `handshaking` has let the charger in), `$disconnect` calls `close_connection`:
best effort, at times late, never about a newer connection (API Gateway; citrineos#190). Every frame may call
`find_connection`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from pynamodb.expressions.update import Action

from chalicelib.chargers.model import (
    HEARTBEAT_INTERVAL_S,
    Charger,
    Connection,
    Link,
    charger_key,
)
from chalicelib.chargers.store.links import CONNECTIONS, LINKS, LinkRow, connection_key, link_key, touch_link
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork

_CONNECTION_CACHE_SIZE = 20_000


def open_connection(uow: UnitOfWork, charger: Charger, connection_id: str, protocol: str) -> Connection:
    """The charger's live connection is this one from now on, whatever was before. Two writes.

    The command in flight stays as it is: the charger may have got it, and it must not get it twice.
    """
    now = uow.ctx.now()
    connection = Connection(connection_id, charger.charger_id, charger.operator_id, protocol, now)
    uow.put(CONNECTIONS, connection, name="connection")
    uow.update(
        LINKS,
        link_key(charger.charger_id),
        [
            LinkRow.charger_id.set(charger.charger_id),
            LinkRow.operator_id.set(charger.operator_id),
            LinkRow.heartbeat_interval_s.set(LinkRow.heartbeat_interval_s | HEARTBEAT_INTERVAL_S),
            LinkRow.outbound.set(LinkRow.outbound | []),
            LinkRow.connection_id.set(connection_id),
            LinkRow.protocol.set(protocol),
            LinkRow.connected_at.set(now),
            LinkRow.last_seen_at.set(now),
            LinkRow.disconnected_at.remove(),
        ],
        name="link",
    )
    return connection


def close_connection(uow: UnitOfWork, connection_id: str) -> Connection | None:
    """Marks the charger disconnected if this connection is still its live one; else nothing. One write at most.

    Returns the connection that was closed, None if it was not the live one (a late goodbye, a second one).
    """
    connection = find_connection(uow.ctx, connection_id)
    if connection is None:
        return None
    link = get_link(uow.ctx, connection.charger_id)
    if link is None or link.connection_id != connection_id:
        return None
    actions: list[Action] = [LinkRow.connection_id.remove(), LinkRow.disconnected_at.set(uow.ctx.now())]
    uow.update(
        LINKS,
        link_key(connection.charger_id),
        actions,
        condition=LinkRow.connection_id == connection_id,
        name="link",
    )
    return connection


def revive_connection(uow: UnitOfWork, link: Link, connection: Connection) -> Link:
    """The charger speaks on a connection that was given up: it is connected after all.

    Posting to a socket whose handshake has not ended is answered like posting to one that is gone."""
    uow.update(
        LINKS,
        link_key(link.charger_id),
        [LinkRow.connection_id.set(connection.connection_id), LinkRow.disconnected_at.remove()],
        condition=LinkRow.connection_id.does_not_exist() & (LinkRow.connected_at == connection.connected_at),
        name="link",
    )
    return replace(link, connection_id=connection.connection_id, disconnected_at=None)


def find_connection(ctx: Context, connection_id: str) -> Connection | None:
    """Whose socket this is; remembered by warm processes, since it never changes. Also answers for closed sockets."""
    cache = ctx.cache("chargers.connections", size=_CONNECTION_CACHE_SIZE)
    return cache.get_or_load(connection_id, lambda: CONNECTIONS.get(ctx, *connection_key(connection_id)))


def touch(ctx: Context, charger_id: str, at: datetime) -> Link | None:
    """The charger was heard: one UpdateItem (1 WRU) outside any unit of work, since nothing depends on it.

    Returns the link as it is now, for free: `link.wants_sending` says whether a command waits. None for strangers.
    """
    return touch_link(ctx, charger_id, at)


def get_link(ctx: Context, charger_id: str) -> Link | None:
    return LINKS.get(ctx, *link_key(charger_id))


def get_links(ctx: Context, charger_ids: Sequence[str]) -> dict[str, Link]:
    """Links by charger key, of those chargers that have one."""
    links = LINKS.batch_get(ctx, [link_key(charger_id) for charger_id in charger_ids])
    return {charger_key(link.charger_id): link for link in links}


def scan_links(ctx: Context) -> Iterator[Link]:
    """All links of all operators, in bounded memory: for jobs."""
    return LINKS.scan_all(ctx, LinkRow.sk == "link")
