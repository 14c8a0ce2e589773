"""Who is connected: a link is the one row per charger that knows, a connection one socket's identity card.

The link names the connection that is live now; the last one to connect wins, and what happens to an older
connection never changes the link.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.chargers.model.commands import ANSWER_TIMEOUT

LIFE_SIGN_INTERVAL = timedelta(seconds=90)
"""How old the stored `last_seen_at` of a charger that sends may be: a sample a minute pays for every second sign."""
HEARTBEAT_INTERVAL_S = 540
"""Below API Gateway's idle limit of ten minutes, and cheap."""

CONNECTION_LIFETIME = timedelta(hours=3)
"""API Gateway ends a connection after two hours; its row may go some time later."""

_SILENCE_GRACE = timedelta(seconds=60)


@dataclass(frozen=True)
class Connection:
    """One socket. Nothing of it changes but whose charger it is, where that one changes hands: so a warm process may
    remember it."""

    connection_id: str
    charger_id: str
    operator_id: str
    protocol: str
    connected_at: datetime


@dataclass(frozen=True)
class Link:
    """A charger's connectivity and its queue of commands: small, because jobs scan all of them.

    `outbound` holds the ids of queued commands, oldest first; the one that was sent and is not yet answered is
    `inflight_command_id` (OCPP-J 4.1.1: one outstanding CALL per direction).
    """

    charger_id: str
    operator_id: str
    heartbeat_interval_s: int = HEARTBEAT_INTERVAL_S
    outbound: list[str] = field(default_factory=list)
    connection_id: str | None = None
    protocol: str | None = None
    connected_at: datetime | None = None
    last_seen_at: datetime | None = None
    disconnected_at: datetime | None = None
    inflight_command_id: str | None = None
    inflight_at: datetime | None = None

    @property
    def is_connected(self) -> bool:
        """A socket is there as far as we were told."""
        return self.connection_id is not None

    @property
    def may_send(self) -> bool:
        """Connected, nothing unanswered, and something waits."""
        return self.connection_id is not None and self.inflight_command_id is None and bool(self.outbound)

    def wants_sending(self, now: datetime) -> bool:
        """A command waits and may go out, or waits behind one whose answer is overdue."""
        return self.may_send or (bool(self.outbound) and self.is_connected and self.has_unanswered(now))

    def has_lost(self, connection: Connection) -> bool:
        """We were told that this connection is gone, and it is the one that the charger opened last."""
        return self.connection_id is None and self.connected_at == connection.connected_at

    def is_online(self, now: datetime) -> bool:
        """Connected and heard of within two heartbeats: a dead socket is not always reported (steve#828)."""
        if self.connection_id is None or self.last_seen_at is None:
            return False
        silence = timedelta(seconds=2 * self.heartbeat_interval_s) + _SILENCE_GRACE
        return now - self.last_seen_at <= silence

    def has_unanswered(self, now: datetime) -> bool:
        """The command in flight has waited for its answer too long."""
        return self.inflight_at is not None and now - self.inflight_at > ANSWER_TIMEOUT
