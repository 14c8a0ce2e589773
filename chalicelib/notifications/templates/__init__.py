"""The mails we know, one file each, and how one becomes text and HTML.

A template is plain text in `string.Template` syntax; the HTML is made from the same text, with every value escaped,
so that the two never tell different things. A language that is missing falls back to English.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from string import Template

from chalicelib.notifications.model import Message
from chalicelib.notifications.templates import (
    account_deleted,
    already_signed_up,
    charger_offline,
    charger_online,
    commission_invoice,
    connection_instructions,
    credit_note,
    driver_invitation,
    feedback_answered,
    guest_receipt,
    guest_refunded,
    guest_refused,
    invitation,
    invoice,
    order_opened,
    order_resolved,
    receipt,
    self_billed_invoice,
    statement_ready,
    totp_off,
    totp_on,
    verification_code,
    webhook_disabled,
    webhook_gone,
    withdrawal_paid,
    withdrawal_rejected,
)
from chalicelib.notifications.templates.text import MailText

FALLBACK_LANGUAGE = "en"

TEMPLATES: Mapping[str, Mapping[str, MailText]] = {
    "account_deleted": account_deleted.TEXTS,
    "already_signed_up": already_signed_up.TEXTS,
    "charger_offline": charger_offline.TEXTS,
    "charger_online": charger_online.TEXTS,
    "commission_invoice": commission_invoice.TEXTS,
    "connection_instructions": connection_instructions.TEXTS,
    "credit_note": credit_note.TEXTS,
    "driver_invitation": driver_invitation.TEXTS,
    "feedback_answered": feedback_answered.TEXTS,
    "guest_receipt": guest_receipt.TEXTS,
    "guest_refunded": guest_refunded.TEXTS,
    "guest_refused": guest_refused.TEXTS,
    "invitation": invitation.TEXTS,
    "invoice": invoice.TEXTS,
    "order_opened": order_opened.TEXTS,
    "order_resolved": order_resolved.TEXTS,
    "receipt": receipt.TEXTS,
    "self_billed_invoice": self_billed_invoice.TEXTS,
    "statement_ready": statement_ready.TEXTS,
    "totp_off": totp_off.TEXTS,
    "totp_on": totp_on.TEXTS,
    "verification_code": verification_code.TEXTS,
    "webhook_disabled": webhook_disabled.TEXTS,
    "webhook_gone": webhook_gone.TEXTS,
    "withdrawal_paid": withdrawal_paid.TEXTS,
    "withdrawal_rejected": withdrawal_rejected.TEXTS,
}

_LINE_BREAKS = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029]")


def render(template: str, data: Mapping[str, str], language: str = FALLBACK_LANGUAGE, footer: str = "") -> Message:
    """Raises KeyError for a template that is not in the map and for a value that the text needs but `data` lacks.

    A line of the body whose values are all empty is left out. `footer`: the last lines, whatever the template.
    """
    texts = TEMPLATES[template]
    text = texts.get(language) or texts[FALLBACK_LANGUAGE]
    values = {name: _CONTROL.sub("", value).strip() for name, value in data.items()}
    in_one_line = {name: one_line(value) for name, value in data.items()}
    escaped = {name: html.escape(value).replace("\n", "<br>") for name, value in values.items()}
    paragraphs = [_lines(paragraph, values) for paragraph in text.body.strip().split("\n\n")]
    plain = ("\n".join(lines) for lines in paragraphs)
    marked_up = ("<br>".join(html.escape(line, quote=False) for line in lines) for lines in paragraphs)
    plain_text = [Template(paragraph).substitute(values) for paragraph in plain]
    html_text = [Template(paragraph).substitute(escaped) for paragraph in marked_up]
    if last := _CONTROL.sub("", footer).strip():
        plain_text.append(f"-- \n{last}")
        html_text.append("<small>" + html.escape(last).replace("\n", "<br>") + "</small>")
    return Message(
        # A value with a line break must not become a header of its own.
        subject=Template(text.subject).substitute(in_one_line),
        text="\n\n".join(plain_text) + "\n",
        html=_document("".join(f"<p>{paragraph}</p>" for paragraph in html_text)),
    )


def one_line(value: str) -> str:
    return _LINE_BREAKS.sub(" ", value).strip()


def _lines(paragraph: str, values: Mapping[str, str]) -> list[str]:
    kept = []
    for line in paragraph.split("\n"):
        names = Template(line).get_identifiers()
        if not names or any(values[name] for name in names):
            kept.append(line)
    return kept


def _document(body: str) -> str:
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head>'
        '<body style="font-family:sans-serif;font-size:16px;line-height:1.5;color:#1b1f24;max-width:36em">'
        f"{body}</body></html>"
    )
