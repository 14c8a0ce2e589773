"""Which tariffs are accepted. Pure.

What was accepted once stays so: a setting of the operator makes new versions of tariffs that nobody touches.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import check_currency, currency_exponent
from chalicelib.tariffs.model.elements import Price, TariffElement
from chalicelib.tariffs.restrictions import check_restrictions

MAX_ELEMENTS: Final = 50
MAX_IDLE_GRACE_S: Final = 86_400


def check_tariff(
    elements: tuple[TariffElement, ...],
    currency: str,
    *,
    min_price: Price | None = None,
    max_price: Price | None = None,
    idle_grace_s: int = 0,
) -> None:
    """Raises DomainError (422) with a pointer to what is wrong."""
    check_currency(currency)
    check_elements(elements)
    check_price_bounds(min_price, max_price, currency)
    check_idle_grace(idle_grace_s, elements)


def check_elements(elements: tuple[TariffElement, ...]) -> None:
    """Raises DomainError (422) for a tariff that prices nothing, one dimension twice in an element, or restricts an
    element to never."""
    if not 1 <= len(elements) <= MAX_ELEMENTS:
        raise invalid("tariff.elements", f"A tariff has 1 to {MAX_ELEMENTS} elements.", "/elements")
    for number, element in enumerate(elements):
        pointer = f"/elements/{number}/price_components"
        dimensions = [component.type for component in element.price_components]
        if not dimensions:
            raise invalid("tariff.no_component", "An element needs a price component.", pointer)
        if len(set(dimensions)) != len(dimensions):
            raise invalid("tariff.dimension_twice", "An element prices each dimension once.", pointer)
        check_restrictions(element.restrictions, f"/elements/{number}/restrictions")


def check_price_bounds(min_price: Price | None, max_price: Price | None, currency: str) -> None:
    """Raises DomainError (422) for bounds that say nothing, that no coin is small enough for, or that cross."""
    for name, price in (("min_price", min_price), ("max_price", max_price)):
        if price is not None:
            _check_price(price, currency, f"/{name}")
    if min_price is None or max_price is None:
        return
    for field in ("excl_vat", "incl_vat"):
        low, high = getattr(min_price, field), getattr(max_price, field)
        if low is not None and high is not None and low > high:
            raise invalid("tariff.price_bounds", "The minimum is not above the maximum.", f"/max_price/{field}")


def check_idle_grace(idle_grace_s: int, elements: tuple[TariffElement, ...]) -> None:
    """Raises DomainError (422) for a grace from a fee that there is not."""
    if not 0 <= idle_grace_s <= MAX_IDLE_GRACE_S:
        raise invalid("tariff.idle_grace", f"0 to {MAX_IDLE_GRACE_S} seconds.", "/idle_grace_s")
    bills_idling = any(part.type == "PARKING_TIME" for element in elements for part in element.price_components)
    if idle_grace_s and not bills_idling:
        raise invalid("tariff.idle_grace", "Without PARKING_TIME there is nothing to spare.", "/idle_grace_s")


def _check_price(price: Price, currency: str, pointer: str) -> None:
    without_tax, with_tax = price.excl_vat, price.incl_vat
    if without_tax is None and with_tax is None:
        raise invalid("tariff.price_bounds", "Say it with tax, without, or both.", pointer)
    for field, amount in (("excl_vat", without_tax), ("incl_vat", with_tax)):
        if amount is not None and not _is_payable(amount, currency):
            raise invalid("tariff.price_bounds", f"This amount cannot be paid in {currency}.", f"{pointer}/{field}")
    if without_tax is not None and with_tax is not None and without_tax > with_tax:
        raise invalid("tariff.price_bounds", "With tax it is not less than without.", f"{pointer}/incl_vat")


def _is_payable(amount: Decimal, currency: str) -> bool:
    return amount >= 0 and amount.scaleb(currency_exponent(currency)) % 1 == 0
