"""For an operator: what somebody got of its income in a month was billed.

Needs: number, kind (invoice or credit note), name, issuer, month, net, tax, gross.
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="$kind $number for commissions of $month",
        body="""\
$name,

$issuer has billed you the commissions of $month. They are settled with your income: nothing is left to pay.

$kind: $number
Net: $net
Tax: $tax
Total: $gross

The document is attached: as PDF, and as XML (EN 16931) for your accounting.
""",
    ),
}
