"""For an organisation of which a webhook endpoint says that it is gone (410). Needs: url, link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="A webhook endpoint was disabled",
        body="""\
This webhook endpoint answered that it is gone (410), so it was disabled:

$url

If that is a mistake, enable it again:
$link
""",
    ),
}
