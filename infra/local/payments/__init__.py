"""A stand-in for Stripe on the developer's machine: same HTTP surface as far as we use it, our own code.

`StripeFake` holds the state, `add_routes` mounts it under `/_local`. The product talks to it through the official
SDK and learns of payments through signed webhooks, exactly as with Stripe; nothing here ships in a Lambda.
"""

from infra.local.payments.engine import Call
from infra.local.payments.fake import Fault, PayerConflict, StripeFake, UnknownPayment
from infra.local.payments.routes import add_routes
from infra.local.payments.webhooks import HttpDelivery, sign

__all__ = ["Call", "Fault", "HttpDelivery", "PayerConflict", "StripeFake", "UnknownPayment", "add_routes", "sign"]
