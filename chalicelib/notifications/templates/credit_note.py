"""For an enterprise: something of an invoice was taken back.

Needs: number, invoice, name, seller, gross, tax, reason.
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Credit note $number for invoice $invoice",
        body="""\
$name,

$seller has credited you $gross of invoice $invoice.

Credit note: $number
Tax in it: $tax
Reason: $reason

The credit note is attached: as PDF, and as XML (EN 16931) for your accounting.
""",
    ),
    "de": MailText(
        subject="Gutschrift $number zur Rechnung $invoice",
        body="""\
An $name

$seller hat Ihnen $gross der Rechnung $invoice gutgeschrieben.

Gutschrift: $number
Darin enthaltene Steuer: $tax
Grund: $reason

Die Gutschrift liegt bei: als PDF und als XML (EN 16931) für Ihre Buchhaltung.
""",
    ),
}
