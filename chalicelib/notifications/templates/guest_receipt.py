"""For a guest, when the charge is paid.

Needs: order_no, charger, location, seller (with its tax number), started, duration, energy_kwh, lines (what was charged
for, with the rates of tax), cost, tax (empty where there is none), released (what was authorised and not taken; empty
where all was).
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Receipt: $energy_kwh kWh for $cost",
        body="""\
Thank you for charging. The receipt is attached as PDF.

Order: $order_no
Charger: $charger
Where: $location
Seller: $seller
Begin: $started
Duration: $duration
Energy: $energy_kwh kWh

$lines

Paid by card: $cost
Tax in it: $tax
Not taken from what was reserved: $released
""",
    ),
}
