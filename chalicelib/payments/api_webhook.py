"""What comes from outside without a sign-in: providers' notifications, and payers on their way back.

A notification is believed by its signature over the exact bytes; it is acknowledged once its effect is stored, and
also when it is none of ours. Anything else than 2xx makes the provider send it again.
"""

from __future__ import annotations

from typing import Literal

from chalicelib.kernel.http import Answer, Api, Request, Shape
from chalicelib.payments import service
from chalicelib.payments.providers import payment_provider
from chalicelib.payments.providers.port import ProviderEventKind

api = Api("payments", "public")

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Payment</title><body style="font-family:sans-serif;max-width:30rem;margin:4rem auto;padding:0 1rem">
<h1>{title}</h1><p>{text}</p></body></html>"""
_RETURN_PAGES = {
    "paid": _PAGE.format(title="Thank you", text="Your payment is being confirmed. You can go back to the app."),
    "cancelled": _PAGE.format(title="Not paid", text="You cancelled the payment. You can go back to the app."),
}
_PAYEE_PAGES = {
    "returned": _PAGE.format(title="Thank you", text="Go back to the console to see whether anything is missing."),
    "expired": _PAGE.format(title="This link is used up", text="Go back to the console and ask for a new one."),
}


class Acknowledgement(Shape):
    """`result`: applied | repeated | ignored."""

    result: str


class ReturnQuery(Shape):
    outcome: Literal["paid", "cancelled"] = "paid"


class PayeeReturnQuery(Shape):
    outcome: Literal["returned", "expired"] = "returned"


@api.post("/v1/provider-events/{provider}", status=200)
def receive_provider_event(req: Request, provider: str) -> Acknowledgement:
    """Take a payment provider's notification.

    The body is verified as it came. Refused with 400 when the signature is wrong or old.
    """
    source = payment_provider(req.ctx, provider)
    event = source.parse_event(req.raw_body, req.headers)
    if event.kind is ProviderEventKind.OTHER:
        return Acknowledgement(result="ignored")
    return Acknowledgement(result=service.take_event(req.uow, source, event))


@api.get("/v1/payments/{payment_id}/return")
def show_payment_return(req: Request, payment_id: str, query: ReturnQuery) -> Answer:
    """The page to which the provider sends the payer back. It says nothing about the payment."""
    return Answer(_RETURN_PAGES[query.outcome], headers={"content-type": "text/html; charset=utf-8"})


@api.get("/v1/payout-accounts/return")
def show_payout_account_return(req: Request, query: PayeeReturnQuery) -> Answer:
    """The page to which the provider sends who is to be paid. It says nothing about the account."""
    return Answer(_PAYEE_PAGES[query.outcome], headers={"content-type": "text/html; charset=utf-8"})
