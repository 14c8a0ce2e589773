"""For an organisation of which a webhook endpoint was disabled, since nothing got through. Needs: url, link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="A webhook endpoint was disabled",
        body="""\
For three days none of our messages got through to this webhook endpoint, so it was disabled:

$url

Messages that wait for it are not sent. Once it answers again, enable it, and send again what it missed:
$link
""",
    ),
}
