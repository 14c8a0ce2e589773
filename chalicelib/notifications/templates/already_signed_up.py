"""For somebody who signs up again. Needs: link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="You already have a sign-in",
        body="""\
Somebody, probably you, is signing up with this e-mail address. It already has a sign-in.

Sign in at $link; if you forgot the password, ask there for a new one. If it was not you, there is nothing to do.
""",
    ),
}
