"""A charger has been silent for longer than its operator allows.

Needs: charger, since (the last sign of it), at (when this was noticed).
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Charger $charger is offline",
        body="""\
Charger $charger has not been heard of.

Last sign of it: $since
Reported: $at

You will get one more mail when it is back.
""",
    ),
}
