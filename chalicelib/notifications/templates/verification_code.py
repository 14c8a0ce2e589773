"""A code that proves who reads an address. Needs: code."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Your code: $code",
        body="""\
Your verification code is $code.

It is valid for 10 minutes. If you did not ask for it, ignore this mail; nobody can use your address without the code.
""",
    ),
}
