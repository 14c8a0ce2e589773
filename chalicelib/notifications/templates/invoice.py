"""For an enterprise that pays for its drivers: what it owes for a month.

Needs: number, name, seller, month, sessions, energy_kwh, net, tax, gross, due_date.
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Invoice $number of $seller for $month",
        body="""\
To $name

Your drivers charged at chargers of $seller in $month.

Invoice: $number
Charges: $sessions
Energy: $energy_kwh kWh
Net: $net
Tax: $tax
Total: $gross
Due: $due_date

The invoice is attached, with each charge on it: as PDF, and as XML (EN 16931) for your accounting.
""",
    ),
    "de": MailText(
        subject="Rechnung $number von $seller für $month",
        body="""\
An $name

Ihre Fahrerinnen und Fahrer haben im Monat $month an Ladepunkten von $seller geladen.

Rechnung: $number
Ladevorgänge: $sessions
Energie: $energy_kwh kWh
Netto: $net
Steuer: $tax
Gesamt: $gross
Fällig: $due_date

Die Rechnung mit allen Ladevorgängen liegt bei: als PDF und als XML (EN 16931) für Ihre Buchhaltung.
""",
    ),
}
