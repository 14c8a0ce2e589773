"""The payment providers: a port, one module per provider, and the map below. Called by `payments` alone.

To add one: implement `port.PaymentProvider` in a module of its own, add its line to `PROVIDERS`, to `AMOUNTS` (where it
cannot express each minor unit), and to the providers of tests/contract/payments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import PaymentProvider
from chalicelib.payments.providers.stripe import StripeProvider

PROVIDERS: Mapping[str, Callable[[Context], PaymentProvider]] = {
    "stripe": StripeProvider.from_context,
}

AMOUNTS: Mapping[str, Callable[[Money], Money]] = {
    "stripe": StripeProvider.expressible,
}
"""What each provider can express: known without its key, so that the end of a charge asks nobody."""


def expressible(provider: str, amount: Money) -> Money:
    """The most of an amount that the provider of that name can take or give back; all of it where nothing is known."""
    known = AMOUNTS.get(provider)
    return amount if known is None else known(amount)


def is_configured(ctx: Context) -> bool:
    """Whether drivers can pay at all: the platform is set up with a provider that there is."""
    return ctx.settings.payment_provider in PROVIDERS


def payment_provider(ctx: Context, name: str | None = None) -> PaymentProvider:
    """The provider of that name (a stored payment keeps its own), or the one that new payments use."""
    wanted = name or ctx.settings.payment_provider
    factory = PROVIDERS.get(wanted)
    if factory is None:
        raise DomainError("payment_provider.unknown", f"There is no payment provider {wanted!r}.", Kind.NOT_FOUND)
    return factory(ctx)
