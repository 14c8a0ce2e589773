"""For the operator, when a day is settled. Needs: business_day, lines (one per tariff or currency)."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Statement for $business_day",
        body="""\
Your statement for $business_day is ready, and attached as PDF.

$lines
""",
    ),
}
