"""A mail, from the moment somebody wants it sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.kernel.lifecycle import Lifecycle

MAIL = Lifecycle(
    noun="mail",
    initial="pending",
    transitions={("pending", "accept"): "sent", ("pending", "refuse"): "refused"},
)


@dataclass(frozen=True)
class Sender:
    """In whose name a mail goes out: the name before the platform's address, where an answer goes, and the last lines
    of the mail. What is empty is left out."""

    name: str = ""
    reply_to: str = ""
    footer: str = ""


@dataclass(frozen=True)
class Enclosure:
    """A document that goes with a mail, by what it is and the ids of it: it is made when the mail is sent, out of what
    is stored, by a capability that this one does not know."""

    kind: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """An enclosure as it leaves. `name` has the ending that mail services ask for."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """`data` fills the template and is forgotten once the mail was sent: it may hold a code.

    `refusal` is the mail service's reason for refusing a mail for good. Without a `sender` it is the platform's own.
    """

    dedupe_key: str
    to: str
    template: str
    language: str
    state: str
    queued_at: datetime
    data: dict[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None
    refusal: str | None = None
    sender: Sender | None = None
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True)
class Message:
    """A rendered mail: plain text, and the same as HTML."""

    subject: str
    text: str
    html: str
