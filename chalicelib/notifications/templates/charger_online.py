"""The charger that was reported offline is back. Needs: charger, since, at."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Charger $charger is back online",
        body="""\
Charger $charger is back online.

Last sign before: $since
Back: $at
""",
    ),
}
