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
""",
    ),
}
