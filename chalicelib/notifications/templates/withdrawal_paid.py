"""For an organisation whose withdrawal was paid. Needs: number, amount, bank_account (its end), reference."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Withdrawal $number was paid",
        body="""\
Your withdrawal $number of $amount was paid.

Bank account: $bank_account
Reference: $reference
""",
    ),
}
