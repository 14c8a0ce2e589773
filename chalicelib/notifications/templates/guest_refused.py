"""For a guest whose card was good, and whose charge did not begin, or who took nothing.

Needs: charger, why (empty where the charger just delivered nothing), reserved.
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Nothing was charged to your card",
        body="""\
Your charge did not take place, and you pay nothing.

Charger: $charger
Reason: $why
Let go on your card: $reserved

Your bank may show the reservation for some days.
""",
    ),
}
