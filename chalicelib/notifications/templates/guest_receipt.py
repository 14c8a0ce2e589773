"""For a guest, when the charge is paid.

Needs: order_no, charger, location, operator, started, duration, energy_kwh, cost, tax (empty where there is none),
released (what was authorised and not taken; empty where all was).
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Receipt: $energy_kwh kWh for $cost",
        body="""\
Thank you for charging.

Order: $order_no
Charger: $charger
Where: $location
Operator: $operator
Begin: $started
Duration: $duration
Energy: $energy_kwh kWh
Paid by card: $cost
Tax in it: $tax
Not taken from what was reserved: $released
""",
    ),
}
