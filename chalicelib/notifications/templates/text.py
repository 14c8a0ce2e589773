"""What a template file declares per language: a subject line and a body of paragraphs."""

from __future__ import annotations

from typing import NamedTuple


class MailText(NamedTuple):
    """`string.Template` texts; paragraphs of the body are separated by an empty line."""

    subject: str
    body: str
