"""For the driver, when a charge is over.

Needs: order_no, charger, energy_kwh, cost, refunded (empty where nothing was held), paid_by (an enterprise's name;
empty where the driver paid).
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Your charge: $energy_kwh kWh for $cost",
        body="""\
Thank you for charging.

Order: $order_no
Charger: $charger
Energy: $energy_kwh kWh
Cost: $cost
Refunded to your wallet: $refunded
Paid by: $paid_by
""",
    ),
}
