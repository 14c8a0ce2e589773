"""Stripe's objects as far as we use them, and what payers, payees and the product do to them.

Pure functions over dicts: the dicts are what the API answers, so they carry Stripe's own names (a "session" is a
Checkout page, a "charge" one attempt). Amounts are Stripe's units. Used by the fake alone; the moment and the ids come
from its caller. Members that begin with `_` are the fake's own and not shown.
"""
