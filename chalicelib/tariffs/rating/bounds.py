"""`min_price` and `max_price` (OCPI 2.2.1, Tariff): without tax and with tax they bind, each for itself. Pure.

Where only one of the two is given, the other amount follows in proportion. The minimum is for sessions in which energy
was delivered. Where rounding and a bound disagree the bound wins, and the maximum over the minimum.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from chalicelib.kernel.money import currency_exponent
from chalicelib.tariffs.model.elements import Price
from chalicelib.tariffs.model.versions import TariffVersion
from chalicelib.tariffs.rating.rounding import round_cost, round_half_up

_Bound = tuple[Fraction | None, Fraction | None]
"""With tax, without tax."""


class Bounds:
    """Those of a tariff, for one session. All amounts are minor units, `gross` with tax and `net` without."""

    def __init__(self, tariff: TariffVersion, *, is_delivered: bool) -> None:
        self._tariff = tariff
        self._low = _in_minor_units(tariff.min_price if is_delivered else None, tariff.currency)
        self._high = _in_minor_units(tariff.max_price, tariff.currency)

    def apply(self, gross: Fraction, net: Fraction) -> tuple[Fraction, Fraction]:
        gross, net = self._moved(gross, net, self._low, "up")
        gross, net = self._moved(gross, net, self._high, "down")
        return gross, min(gross, net)

    def round_gross(self, gross: Fraction) -> int:
        """By the tariff's rounding, as far as a multiple of its step lies within the bounds."""
        step = self._tariff.rounding.step
        total = round_cost(gross, self._tariff.rounding)
        low, high = self._low[0], self._high[0]
        if high is not None and total > high:
            total = floor(high / step) * step
        if low is not None and total < low:
            higher = ceil(low / step) * step
            total = higher if high is None or higher <= high else total
        return total

    def round_net(self, net: Fraction, total: int) -> int:
        amount = round_half_up(net)
        low, high = self._low[1], self._high[1]
        if low is not None:
            amount = max(amount, ceil(low))
        if high is not None:
            amount = min(amount, floor(high))
        return min(amount, total)

    def _moved(
        self, gross: Fraction, net: Fraction, bound: _Bound, direction: Literal["up", "down"]
    ) -> tuple[Fraction, Fraction]:
        with_tax, without_tax = bound
        if with_tax is None and without_tax is None:
            return gross, net
        nearer = max if direction == "up" else min
        factor = gross / net if net else self._tariff.plan.tax_factor
        to_gross = gross if with_tax is None else nearer(gross, with_tax)
        to_net = net if without_tax is None else nearer(net, without_tax)
        if with_tax is None and to_net != net:
            to_gross = to_net * factor
        if without_tax is None and to_gross != gross:
            to_net = to_gross / factor
        return to_gross, to_net


def _in_minor_units(price: Price | None, currency: str) -> _Bound:
    return (None, None) if price is None else (_minor(price.incl_vat, currency), _minor(price.excl_vat, currency))


def _minor(amount: Decimal | None, currency: str) -> Fraction | None:
    return None if amount is None else Fraction(amount) * 10 ** currency_exponent(currency)
