"""For a guest: a part of what the card paid, or all of it, was paid back.

Needs: order_no, charger, seller (with its tax number), amount (that goes back now), refunded (in all), cost (what is
left that the card has paid), tax (in that; empty where there is none).
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="$amount paid back to your card",
        body="""\
$amount of your charge were paid back to your card. Your bank may take a few days to show it.

Order: $order_no
Charger: $charger
Seller: $seller
Paid back in all: $refunded
Paid by card, after that: $cost
Tax in it: $tax

The receipt as it is now is attached as PDF.
""",
    ),
}
