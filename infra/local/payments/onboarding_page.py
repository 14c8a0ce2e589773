"""The fake's onboarding page for payees: one HTML page, no script, nothing loaded from elsewhere.

Rendered by `routes.py`. Everything that came from a request is escaped.
"""

from __future__ import annotations

from html import escape

from infra.local.payments.objects.common import StripeObject
from infra.local.payments.page import STYLE


def render_onboarding(account: StripeObject) -> str:
    """Who the payee is, and the two ways to leave."""
    rows = [
        ("Business", account["business_profile"]["name"]),
        ("E-mail", account["email"]),
        ("Country", account["country"]),
        ("Account", account["id"]),
    ]
    details = "".join(f"<dt>{label}</dt><dd>{escape(value)}</dd>" for label, value in rows if value)
    done = '<p role="status">Everything is known: payouts are switched on.</p>' if account["payouts_enabled"] else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Get paid</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Who you are, and where your bank is</h1>
<dl>{details}</dl>
{done}
<form method="post">
<button class="pay" name="action" value="finish">I have told everything</button>
<button name="action" value="later">Go on later</button>
</form>
<footer>Test page of the local stack: nothing is asked for and no money moves.</footer>
</main>
</body>
</html>
"""
