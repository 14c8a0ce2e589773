"""The fake's hosted payment page: one HTML page, no script, nothing loaded from elsewhere.

Rendered by `routes.py`. Everything that came from a request is escaped.
"""

from __future__ import annotations

from html import escape

from infra.local.payments.currencies import format_amount
from infra.local.payments.objects.checkout import is_manual, is_pending
from infra.local.payments.objects.common import StripeObject

STYLE = """
:root { color-scheme: light dark; --accent: #0b6e4f; --edge: #8884; --bad: #b3261e; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; min-height: 100vh;
  display: grid; place-items: center; }
main { width: 100%; max-width: 26rem; border: 1px solid var(--edge); border-radius: .75rem; padding: 1.5rem; }
h1 { font-size: 1rem; font-weight: 600; margin: 0; }
.amount { font-size: 2.25rem; font-weight: 700; margin: .25rem 0 1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1.25rem; }
dt { opacity: .7; } dd { margin: 0; overflow-wrap: anywhere; text-align: right; }
button, .button { font: inherit; display: block; width: 100%; padding: .75rem; margin-top: .5rem; border-radius: .5rem;
  border: 1px solid var(--edge); background: transparent; color: inherit;
  text-align: center; text-decoration: none; cursor: pointer; }
label { display: block; font-size: .9rem; }
input { font: inherit; width: 100%; padding: .6rem .75rem; margin: .25rem 0 .5rem; border-radius: .5rem;
  border: 1px solid var(--edge); background: transparent; color: inherit; }
fieldset { border: 0; padding: 0; margin: 1rem 0 0; } legend { font-size: .9rem; opacity: .7; padding: 0; }
button.pay { background: var(--accent); border-color: var(--accent); color: #fff; font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.notice { border-left: 4px solid var(--bad); padding: .25rem .75rem; margin: 0 0 1rem; }
footer { opacity: .7; font-size: .85rem; margin-top: 1.25rem; }
"""


def render_page(session: StripeObject, refusal: str | None) -> str:
    """The page of an open, paid or expired checkout; `refusal`: why the last card was not taken."""
    amount = format_amount(session["amount_total"], session["currency"])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{"Reserve" if is_manual(session) else "Pay"} {escape(amount)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(", ".join(session["_lines"]))}</h1>
<p class="amount">{escape(amount)}</p>
{_details(session)}
{_body(session, amount, refusal)}
<footer>Test payment page of the local stack: no card is asked for and no money moves.</footer>
</main>
</body>
</html>
"""


def render_missing() -> str:
    return """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>No such payment page</title></head>
<body><h1>No such payment page</h1></body></html>
"""


def _details(session: StripeObject) -> str:
    rows = [("Reference", session["client_reference_id"]), ("Receipt to", session["customer_email"])]
    shown = "".join(f"<dt>{label}</dt><dd>{escape(value)}</dd>" for label, value in rows if value)
    return f"<dl>{shown}</dl>" if shown else ""


def _body(session: StripeObject, amount: str, refusal: str | None) -> str:
    if is_pending(session):
        return """<p role="status">The bank has been asked; it answers in a few days, or when you say so.</p>
<form method="post">
<button class="pay" name="action" value="pay">The bank pays</button>
<button name="action" value="decline">The bank refuses</button>
</form>"""
    if is_done(session):
        done = "This has been reserved. Thank you." if is_manual(session) else "This has been paid. Thank you."
        return f'<p role="status">{done}</p>{_link(session["success_url"], "Continue")}'
    if session["status"] == "complete":
        return f'<p class="notice" role="alert">{escape(refusal or "")}</p>{_link(session["cancel_url"], "Go back")}'
    if session["status"] == "expired":
        return f'<p class="notice" role="alert">This page has expired.</p>{_link(session["cancel_url"], "Go back")}'
    return _form(session, amount, refusal)


def _form(session: StripeObject, amount: str, refusal: str | None) -> str:
    manual = is_manual(session)
    notice = f'<p class="notice" role="alert">{escape(refusal)} Try another one.</p>' if refusal else ""
    about = (
        f"<p>{escape(amount)} will be reserved, not taken. You pay only for what you use; the rest is released.</p>"
        if manual
        else ""
    )
    email = (
        ""
        if session["customer_email"]
        else '<label for="email">E-mail, for the receipt</label>'
        '<input id="email" name="email" type="email" autocomplete="email" maxlength="254">'
    )
    debit = (
        '<button name="action" value="debit">Pay by bank debit (decided later)</button>'
        if "sepa_debit" in session["payment_method_types"]
        else ""
    )
    cancel = '<button name="action" value="cancel">Cancel</button>' if session["cancel_url"] else ""
    verb = "Reserve" if manual else "Pay"
    return f"""{notice}{about}
<form method="post">
{email}
<button class="pay" name="action" value="pay">{verb} {escape(amount)} by card</button>
<button name="action" value="paypal">{verb} with PayPal</button>
{debit}
<fieldset>
<legend>What else may happen</legend>
<button name="action" value="decline">Pay with a card that is declined</button>
<button name="action" value="insufficient_funds">Pay with a card that has no money</button>
<button name="action" value="expired_card">Pay with a card that has expired</button>
<button name="action" value="disputed">Pay with a card whose holder disputes it at once</button>
<button name="action" value="authentication_abandoned">Leave the bank's 3-D Secure page</button>
</fieldset>
{cancel}
</form>"""


def is_done(session: StripeObject) -> bool:
    """The payer has done their part and the bank agreed: paid, or reserved."""
    agreed = session["payment_status"] == "paid" or is_manual(session)
    return session["status"] == "complete" and agreed


def _link(url: str | None, label: str) -> str:
    return f'<a class="button" href="{escape(url)}">{label}</a>' if url else ""
