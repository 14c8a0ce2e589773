"""Rows of notifications: one per mail, under the key that says why it is sent. Private to this folder."""

from __future__ import annotations

from datetime import timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.notifications.model import Enclosure, Mail, Sender

RETENTION = timedelta(days=90)


class MailRow(Row):
    class Meta:
        table_name = table_name("notifications")

    dedupe_key = UnicodeAttribute()
    to = UnicodeAttribute()
    template = UnicodeAttribute()
    language = UnicodeAttribute()
    state = UnicodeAttribute()
    queued_at = MomentAttribute()
    data = ValueAttribute(dict[str, str], null=True)
    sent_at = MomentAttribute(null=True)
    refusal = UnicodeAttribute(null=True)
    sender = ValueAttribute(Sender, null=True)
    enclosures = ValueAttribute(tuple[Enclosure, ...], null=True)
    expires_at = NumberAttribute()


def mail_key(dedupe_key: str) -> tuple[str, str]:
    return f"mail#{dedupe_key}", "mail"


MAILS: Table[Mail] = Table(
    MailRow,
    Mail,
    key=lambda mail: mail_key(mail.dedupe_key),
    extra=lambda mail: {"expires_at": int((mail.queued_at + RETENTION).timestamp())},
)
