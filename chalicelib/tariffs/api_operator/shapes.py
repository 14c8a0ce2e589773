"""Prices as OCPI writes them (2.2.1, section 11), numbers as decimal strings. What is not restricted is left out."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Annotated

import msgspec

from chalicelib.kernel.http import Shape
from chalicelib.tariffs.model import (
    DayOfWeek,
    Dimension,
    Price,
    PriceComponent,
    Restrictions,
    TariffElement,
    TariffVersion,
)

PriceText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$(?!\n)",
        description="Major units as a decimal string, not below zero, with at most 9 digits and 6 decimals.",
    ),
]
PercentText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,4})?)$(?!\n)",
        description="Percent as a decimal string, 0 to 100, with at most 4 decimals.",
    ),
]
StepSize = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="Wh for ENERGY, seconds for times.")]
TimeOfDayText = Annotated[
    str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", description="`HH:MM`, local time.")
]
KiloText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$(?!\n)",
        description="kWh or kW as a decimal string, with at most 6 digits and 3 decimals.",
    ),
]
DurationS = Annotated[int, msgspec.Meta(ge=0, le=31 * 86_400)]


class PriceComponentShape(Shape):
    """OCPI PriceComponent: per kWh for ENERGY, per hour for TIME and PARKING_TIME, once for FLAT."""

    type: Dimension
    price: PriceText
    vat: PercentText | None = None
    step_size: StepSize = 1


class RestrictionsShape(Shape, omit_defaults=True):
    """OCPI TariffRestrictions; all that are given must hold. Times, dates and days are those of the location. A time
    that ends before it starts goes over midnight, and `end_time` 00:00 is the end of the day; `end_date` is the first
    day that is out. `min_` includes its value and `max_` excludes it. `min_kwh` and `min_duration` (seconds) are of
    the charging session so far, `min_power` (kW) is of the moment. Current is not billed by."""

    start_time: TimeOfDayText | None = None
    end_time: TimeOfDayText | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: KiloText | None = None
    max_kwh: KiloText | None = None
    min_power: KiloText | None = None
    max_power: KiloText | None = None
    min_duration: DurationS | None = None
    max_duration: DurationS | None = None
    day_of_week: Annotated[list[DayOfWeek], msgspec.Meta(max_length=7)] = msgspec.field(default_factory=list)


class TariffElementShape(Shape, omit_defaults=True):
    """OCPI TariffElement. At any moment the first element that prices a dimension, and whose restrictions hold, counts
    for it."""

    price_components: Annotated[list[PriceComponentShape], msgspec.Meta(min_length=1, max_length=4)]
    restrictions: RestrictionsShape | None = None


Elements = Annotated[list[TariffElementShape], msgspec.Meta(min_length=1, max_length=50)]


class PriceShape(Shape):
    """OCPI Price: without and with VAT, at least one of them. Both bind where both are given."""

    excl_vat: PriceText | None = None
    incl_vat: PriceText | None = None


IdleGraceS = Annotated[
    int,
    msgspec.Meta(
        ge=0, le=86_400, description="How long after each end of charging PARKING_TIME is not billed yet, in seconds."
    ),
]


def elements_of(shapes: list[TariffElementShape]) -> tuple[TariffElement, ...]:
    return tuple(
        TariffElement(
            tuple(
                PriceComponent(component.type, Decimal(component.price), _decimal(component.vat), component.step_size)
                for component in shape.price_components
            ),
            None if shape.restrictions is None else _restrictions_of(shape.restrictions),
        )
        for shape in shapes
    )


def elements_view(tariff: TariffVersion) -> list[TariffElementShape]:
    """The price as OCPI writes it."""
    return [
        TariffElementShape(
            price_components=[
                PriceComponentShape(
                    type=component.type,
                    price=format(component.price, "f"),
                    vat=_text(component.vat),
                    step_size=component.step_size,
                )
                for component in element.price_components
            ],
            restrictions=None if element.restrictions is None else restrictions_view(element.restrictions),
        )
        for element in tariff.elements
    ]


def price_of(shape: PriceShape | None) -> Price | None:
    return None if shape is None else Price(_decimal(shape.excl_vat), _decimal(shape.incl_vat))


def price_view(price: Price | None) -> PriceShape | None:
    return None if price is None else PriceShape(excl_vat=_text(price.excl_vat), incl_vat=_text(price.incl_vat))


def restrictions_view(restrictions: Restrictions) -> RestrictionsShape:
    return RestrictionsShape(
        start_time=_time_text(restrictions.start_time),
        end_time=_time_text(restrictions.end_time),
        start_date=restrictions.start_date,
        end_date=restrictions.end_date,
        min_kwh=_text(restrictions.min_kwh),
        max_kwh=_text(restrictions.max_kwh),
        min_power=_text(restrictions.min_power),
        max_power=_text(restrictions.max_power),
        min_duration=restrictions.min_duration,
        max_duration=restrictions.max_duration,
        day_of_week=list(restrictions.day_of_week),
    )


def _restrictions_of(shape: RestrictionsShape) -> Restrictions:
    return Restrictions(
        start_time=_time(shape.start_time),
        end_time=_time(shape.end_time),
        start_date=shape.start_date,
        end_date=shape.end_date,
        min_kwh=_decimal(shape.min_kwh),
        max_kwh=_decimal(shape.max_kwh),
        min_power=_decimal(shape.min_power),
        max_power=_decimal(shape.max_power),
        min_duration=shape.min_duration,
        max_duration=shape.max_duration,
        day_of_week=tuple(shape.day_of_week),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)


def _time_text(moment: time | None) -> str | None:
    return None if moment is None else moment.strftime("%H:%M")
