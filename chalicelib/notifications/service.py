"""Queueing mails with the fact they tell about, and sending them afterwards.

A mail has a key that says why it is sent (`offline#<charger>#<since>`): however often it is queued under that key,
it is one mail. Sending is at least once: a crash between the mail service's yes and our note sends it again.
Documents that go with a mail are named when it is queued and made when it is sent: no bytes are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from email.header import Header
from email.utils import formataddr, parseaddr
from typing import Any, Final

from botocore.exceptions import ClientError

from chalicelib.kernel import log, outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.notifications import templates
from chalicelib.notifications.model import MAIL, Enclosure, File, Mail, Message, Sender
from chalicelib.notifications.store import MAILS, RETENTION, MailRow, mail_key

# Answers of SES that no retry changes: the message or its address is at fault.
_REFUSALS = frozenset({"MessageRejected", "BadRequestException"})

Encloser = Callable[[Context, tuple[str, ...]], Sequence[File]]
"""Makes the files of an enclosure from its ids; what it raises, delays the mail."""
MAX_ENCLOSED_BYTES: Final = 20 * 1024 * 1024
"""Of one mail. SES takes 40 MB, with a third more for base64, but few mailboxes take so much."""


def queue_mail(
    uow: UnitOfWork,
    *,
    dedupe_key: str,
    to: str,
    template: str,
    data: dict[str, str],
    language: str = "en",
    sender: Mapping[str, str] | None = None,
    enclosures: Sequence[Enclosure] = (),
) -> None:
    """Adds a mail to the caller's unit of work; a no-op for a key that was queued before, never a conflict.

    `enclosures`: the documents that go with it, by kind and ids; the relay knows who makes which.
    `sender`: the members of a Sender, when an organisation writes and not the platform (identity's `mail_sender`).
    Raises KeyError for an unknown template or data that leaves a gap in it: the caller's mistake, found before
    anything is written.
    """
    templates.render(template, data, language)
    now = uow.ctx.now()
    # Each attribute stays what the first call made it: a repeat writes nothing new, and cannot fail the caller.
    uow.update(
        MAILS,
        mail_key(dedupe_key),
        [
            MailRow.dedupe_key.set(MailRow.dedupe_key | dedupe_key),
            MailRow.to.set(MailRow.to | to),
            MailRow.template.set(MailRow.template | template),
            MailRow.language.set(MailRow.language | language),
            MailRow.state.set(MailRow.state | MAIL.initial),
            MailRow.queued_at.set(MailRow.queued_at | now),
            MailRow.data.set(MailRow.data | data),
            MailRow.expires_at.set(MailRow.expires_at | int((now + RETENTION).timestamp())),
            MailRow.sender.set(MailRow.sender | Sender(**(sender or {}))),
            MailRow.enclosures.set(MailRow.enclosures | tuple(enclosures)),
        ],
        name="mail",
    )
    outbox.emit(uow, "mail.queued", dedupe_key)


def forget_mail(uow: UnitOfWork, dedupe_key: str) -> None:
    """To whom it went, and what it said, before it expires by itself."""
    uow.delete(MAILS, mail_key(dedupe_key), name="mail")


def send_mail(ctx: Context, dedupe_key: str, enclosers: Mapping[str, Encloser]) -> None:
    """Sends a pending mail; does nothing for one that was dealt with. Raises what a later try may mend."""
    mail = MAILS.get(ctx, *mail_key(dedupe_key))
    if mail is None or not MAIL.allows(mail.state, "accept"):
        return
    files = list(_bounded(mail, _files_of(ctx, mail, enclosers)))
    try:
        _send(ctx, mail, files, templates.render(mail.template, mail.data, mail.language, _footer(mail)))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSALS:
            raise
        log.logger.warning("mail refused", extra={"mail": dedupe_key, "template": mail.template})
        _record(ctx, mail, "refuse", error.response["Error"]["Message"])
        return
    _record(ctx, mail, "accept", None)


def _footer(mail: Mail) -> str:
    return "" if mail.sender is None else mail.sender.footer


def _files_of(ctx: Context, mail: Mail, enclosers: Mapping[str, Encloser]) -> Iterator[File]:
    """Raises KeyError for a kind that nobody makes: our mistake, and the mail waits until it is mended."""
    for enclosure in mail.enclosures:
        yield from enclosers[enclosure.kind](ctx, enclosure.ids)


def _bounded(mail: Mail, files: Iterator[File]) -> Iterator[File]:
    """What does not fit is left out: it can still be fetched, and a mail that is refused tells nobody anything."""
    left = MAX_ENCLOSED_BYTES
    for file in files:
        if len(file.content) > left:
            log.logger.warning("enclosure is too large", extra={"mail": mail.dedupe_key, "file": file.name})
            continue
        left -= len(file.content)
        yield file


def _send(ctx: Context, mail: Mail, files: Sequence[File], message: Message) -> None:
    sender = mail.sender or Sender()
    enclosed: dict[str, Any] = {"Attachments": [_attachment(file) for file in files]} if files else {}
    ctx.client("sesv2").send_email(
        FromEmailAddress=_from(ctx.settings.mail_from, sender),
        ReplyToAddresses=[sender.reply_to] if sender.reply_to else [],
        Destination={"ToAddresses": [mail.to]},
        Content={
            "Simple": {
                "Subject": {"Data": message.subject, "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": message.text, "Charset": "UTF-8"},
                    "Html": {"Data": message.html, "Charset": "UTF-8"},
                },
                **enclosed,
            }
        },
    )


def _attachment(file: File) -> dict[str, Any]:
    return {
        "RawContent": file.content,
        "FileName": file.name,
        "ContentType": file.media_type,
        "ContentDisposition": "ATTACHMENT",
        "ContentTransferEncoding": "BASE64",
    }


def _from(address: str, sender: Sender) -> str:
    """The platform's address, which the mail service knows, with the sender's name before it. A line break in a name
    must not become a header."""
    name = templates.one_line(sender.name)
    if not name:
        return address
    bare = parseaddr(address)[1]
    if name.isascii():
        return formataddr((name, bare))
    words = Header(name, "utf-8", maxlinelen=75).encode().split()  # RFC 2047: a word has at most 75 characters
    return f"{' '.join(words)} <{bare}>"


def _record(ctx: Context, mail: Mail, event: str, refusal: str | None) -> None:
    uow = UnitOfWork(ctx)
    done = replace(mail, state=MAIL.next(mail.state, event), data={}, sent_at=ctx.now(), refusal=refusal)
    uow.put(MAILS, done)
    uow.commit()
