"""For an agency: its share of a month was billed by its operator, in the agency's name.

Needs: number, kind (invoice or credit note), name, issuer, month, net, tax, gross, missing (what the agency has not
filled in; empty: all is there).
"""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="$kind $number for your share of $month",
        body="""\
$name,

$issuer has billed your share of $month in your name (self-billed). It is settled: nothing is left to pay.

$kind: $number
Net: $net
Tax: $tax
Total: $gross

The document is attached: as PDF, and as XML (EN 16931) for your accounting.
Missing on it: $missing. Please fill it in under the settings of your invoices: your next document needs it.
""",
    ),
}
