"""The e-mails and SMS that the platform sent, caught before they leave: SES v2 and SNS for the local stack.

`install` puts the outbox behind botocore's `sesv2` and `sns` clients; the platform shows it at
`/_local/messages`. Invariants: a message that was accepted is stored before the sender gets its id; what SES or
SNS refuses for its shape is refused here (sender verification, quotas and the sandbox are not modelled). At most
`KEPT` messages are kept, the oldest go first.
"""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
import re
import sqlite3
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from pathlib import Path
from typing import Any

from chalicelib.kernel.clock import from_rfc3339, to_rfc3339
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError

KEPT = 10_000
KEPT_WITH_FILES = 1_000
"""Of older messages the attachments are named and no more there."""
MAX_RECIPIENTS = 50  # SES: To, Cc and Bcc of one message together
MAX_EMAIL_BYTES = 40 * 1024 * 1024  # SES v2
MAX_SMS_BYTES = 1600  # SNS
DEFAULT_SMS_SENDER = "NOTICE"

E164 = re.compile(r"\+[1-9]\d{3,14}")
SENDER_ID = re.compile(r"MessageAttributes\.entry\.(\d+)\.Name")

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    recipients TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT,
    text TEXT,
    html TEXT,
    attachments TEXT NOT NULL,
    sent_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    sequence INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    number INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (sequence, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recipients (
    address TEXT NOT NULL,
    sequence INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    PRIMARY KEY (address, sequence)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    size: int  # bytes

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "type": self.media_type, "size": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One sent message. `to` holds bare addresses or phone numbers (Cc and Bcc too), in the order given."""

    id: str
    channel: str  # "email" or "sms"
    to: tuple[str, ...]
    sender: str
    subject: str | None
    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]
    at: datetime

    def to_json(self) -> dict[str, object]:
        """The shape of `/_local/messages`; several recipients are one comma-separated string, as in a header."""
        return {
            "id": self.id,
            "channel": self.channel,
            "to": ", ".join(self.to),
            "from": self.sender,
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "attachments": [attachment.to_json() for attachment in self.attachments],
            "at": to_rfc3339(self.at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    channel: str
    to: Sequence[str]
    sender: str
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    attachments: Sequence[tuple[Attachment, bytes]] = ()


class Outbox:
    """Durable at `path`; `now` is the platform's clock. May be called from any thread."""

    def __init__(self, now: Callable[[], datetime], path: str | Path = ":memory:") -> None:
        self._now = now
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(SCHEMA)

    def install(self) -> Callable[[], None]:
        """Takes over `sesv2` and `sns` of every botocore client of the process; returns what gives them back."""
        restores = [
            aws_hooks.register("sesv2", self.handle_ses),
            aws_hooks.register("sns", self.handle_sns),
        ]

        def restore() -> None:
            for undo in restores:
                undo()

        return restore

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def list(self, to: str | None = None, limit: int = 100) -> list[Message]:
        """Newest first, at most `limit`; `to`: only what went to this address or number (case aside)."""
        query = "SELECT id, channel, recipients, sender, subject, text, html, attachments, sent_at FROM messages"
        values: tuple[object, ...] = (limit,)
        if to is not None:
            query += " WHERE sequence IN (SELECT sequence FROM recipients WHERE address = ?)"
            values = (to.strip().lower(), limit)
        with self._lock:
            rows = self._db.execute(f"{query} ORDER BY sequence DESC LIMIT ?", values).fetchall()
        return [_read_row(row) for row in rows]

    def attachment(self, message_id: str, number: int) -> tuple[Attachment, bytes] | None:
        """One attachment of a message, counted from 0."""
        query = (
            "SELECT attachments, content FROM messages JOIN files USING (sequence) WHERE messages.id = ? AND number = ?"
        )
        with self._lock:
            row = self._db.execute(query, (message_id, number)).fetchone()
        return None if row is None else (_read_attachments(row[0])[number], row[1])

    def handle_ses(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """SES v2 `SendEmail` with Simple or Raw content (`request`: botocore's, the body in JSON bytes)."""
        if operation != "SendEmail":
            raise AwsError("BadRequestException", f"{operation} is not part of the local stack.")
        return {"MessageId": self._save(_read_email(json.loads(request["body"])))}

    def handle_sns(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """SNS `Publish` to a phone number (`request`: botocore's, the body a flat form)."""
        if operation != "Publish":
            raise AwsError("InvalidParameter", f"{operation} is not part of the local stack.")
        return {"MessageId": self._save(_read_sms(request["body"]))}

    def _save(self, draft: _Draft) -> str:
        message_id = str(uuid.uuid4())
        with self._lock, closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                cursor.execute(
                    "INSERT INTO messages (id, channel, recipients, sender, subject, text, html, attachments, sent_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        message_id,
                        draft.channel,
                        json.dumps(list(draft.to)),
                        draft.sender,
                        draft.subject,
                        draft.text,
                        draft.html,
                        json.dumps([attachment.to_json() for attachment, _ in draft.attachments]),
                        to_rfc3339(self._now()),
                    ),
                )
                sequence = cursor.lastrowid or 0
                cursor.executemany(
                    "INSERT OR IGNORE INTO recipients (address, sequence) VALUES (?, ?)",
                    [(address.lower(), sequence) for address in draft.to],
                )
                cursor.executemany(
                    "INSERT INTO files (sequence, number, content) VALUES (?, ?, ?)",
                    [(sequence, number, content) for number, (_, content) in enumerate(draft.attachments)],
                )
                cursor.execute("DELETE FROM files WHERE sequence <= ?", (sequence - KEPT_WITH_FILES,))
                cursor.execute("DELETE FROM messages WHERE sequence <= ?", (sequence - KEPT,))
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
        return message_id


def _read_row(row: tuple[str, str, str, str, str | None, str | None, str | None, str, str]) -> Message:
    message_id, channel, recipients, sender, subject, text, html, attachments, sent_at = row
    return Message(
        id=message_id,
        channel=channel,
        to=tuple(json.loads(recipients)),
        sender=sender,
        subject=subject,
        text=text,
        html=html,
        attachments=_read_attachments(attachments),
        at=from_rfc3339(sent_at),
    )


def _read_attachments(stored: str) -> tuple[Attachment, ...]:
    return tuple(Attachment(each["name"], each["type"], each["size"]) for each in json.loads(stored))


def _read_email(request: Mapping[str, Any]) -> _Draft:
    content = request.get("Content") or {}
    kinds = [kind for kind in ("Simple", "Raw", "Template") if content.get(kind)]
    if len(kinds) != 1:
        raise AwsError("BadRequestException", "Content must have exactly one of Simple, Raw and Template.")
    if kinds == ["Template"]:
        raise AwsError("BadRequestException", "Templates are not part of the local stack: render the text first.")
    destination = request.get("Destination") or {}
    named = [
        address for field in ("ToAddresses", "CcAddresses", "BccAddresses") for address in destination.get(field) or ()
    ]
    sender = request.get("FromEmailAddress")
    if kinds == ["Raw"]:
        return _read_raw(content["Raw"], sender, named)
    simple = content["Simple"]
    body = simple.get("Body") or {}
    text, html = _data(body.get("Text")), _data(body.get("Html"))
    if _data(simple.get("Subject")) is None:
        raise AwsError("BadRequestException", "Missing required header 'Subject'.")
    if text is None and html is None:
        raise AwsError("BadRequestException", "Body must have Text or Html.")
    return _Draft(
        channel="email",
        to=_check_recipients(named),
        sender=_check_sender(sender),
        subject=_data(simple["Subject"]),
        text=text,
        html=html,
        attachments=[_read_attachment(attachment) for attachment in simple.get("Attachments") or ()],
    )


def _read_attachment(attachment: Mapping[str, str]) -> tuple[Attachment, bytes]:
    name = attachment.get("FileName", "")
    if not name:
        raise AwsError("BadRequestException", "An attachment needs a FileName.")
    content = _decoded(attachment.get("RawContent"), "RawContent")
    media_type = attachment.get("ContentType") or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(name, media_type, len(content)), content


def _decoded(data: str | None, what: str) -> bytes:
    try:
        return base64.b64decode(data or "", validate=True)
    except binascii.Error as error:
        raise AwsError("BadRequestException", f"{what} is not base64.") from error


def _read_raw(raw: Mapping[str, Any], sender: str | None, named: list[str]) -> _Draft:
    data = _decoded(raw.get("Data"), "Raw.Data")
    if not data:
        raise AwsError("BadRequestException", "Raw.Data is empty.")
    if len(data) > MAX_EMAIL_BYTES:
        raise AwsError("BadRequestException", "Message length is more than 41943040 bytes long.")
    mail = message_from_bytes(data, policy=policy.default)
    if not isinstance(mail, EmailMessage):
        raise AwsError("BadRequestException", "Raw.Data is not an e-mail message.")
    headers = [str(value) for name in ("To", "Cc", "Bcc") for value in mail.get_all(name, [])]
    recipients = named or [address for _, address in getaddresses(headers)]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return _Draft(
        channel="email",
        to=_check_recipients(recipients),
        sender=_check_sender(sender or mail.get("From")),
        subject=mail.get("Subject"),
        text=text.get_content() if text else None,
        html=html.get_content() if html else None,
        attachments=[_read_part(part) for part in mail.iter_attachments()],
    )


def _read_part(part: EmailMessage) -> tuple[Attachment, bytes]:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return Attachment(part.get_filename() or "", part.get_content_type(), len(content)), content


def _data(content: Mapping[str, str] | None) -> str | None:
    return content.get("Data") if content else None


def _check_recipients(addresses: Sequence[str]) -> list[str]:
    if not addresses:
        raise AwsError("BadRequestException", "Destination must have at least one recipient.")
    if len(addresses) > MAX_RECIPIENTS:
        raise AwsError("MessageRejected", f"Recipient count exceeds {MAX_RECIPIENTS}.")
    return [_check_address(address) for address in addresses]


def _check_sender(sender: str | None) -> str:
    if not sender:
        raise AwsError("BadRequestException", "FromEmailAddress is missing.")
    _check_address(sender)
    return sender


def _check_address(address: str) -> str:
    """The bare address of `Name <user@host>`."""
    bare = parseaddr(address)[1]
    user, at, host = bare.rpartition("@")
    if not (at and user and host and bare.isascii()) or re.search(r"[\s@]", user + host):
        raise AwsError("BadRequestException", f"Illegal address: {address!r}.")
    return bare


def _read_sms(form: Mapping[str, str]) -> _Draft:
    number, text = form.get("PhoneNumber"), form.get("Message")
    if not number:
        raise AwsError("InvalidParameter", "Invalid parameter: PhoneNumber; topics are not part of the local stack.")
    if not E164.fullmatch(number):
        raise AwsError(
            "InvalidParameter", f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to"
        )
    if not text:
        raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
    if len(text.encode()) > MAX_SMS_BYTES:
        raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
    return _Draft(channel="sms", to=[number], sender=_sms_sender(form), text=text)


def _sms_sender(form: Mapping[str, str]) -> str:
    for key, name in form.items():
        entry = SENDER_ID.fullmatch(key)
        if entry and name == "AWS.SNS.SMS.SenderID":
            return form.get(f"MessageAttributes.entry.{entry[1]}.Value.StringValue", DEFAULT_SMS_SENDER)
    return DEFAULT_SMS_SENDER
