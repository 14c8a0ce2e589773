"""For an organisation whose withdrawal came to nothing: the amount is owed to it again.

Needs: number, amount, reason.
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Withdrawal $number was not paid",
        body="""\
Your withdrawal $number of $amount was not paid. The amount is in your balance again.

Reason: $reason
""",
    ),
}
