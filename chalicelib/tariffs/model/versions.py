"""Tariffs: versions that never change, and which of them is current. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from chalicelib.kernel.money import CostRounding
from chalicelib.tariffs.model.elements import Price, TariffElement
from chalicelib.tariffs.model.plans import Plan, make_plan

Purpose = Literal["selling", "energy_cost"]
"""What a tariff says: what drivers pay, or what the operator pays for the energy that it sells."""

TO_THE_MINOR_UNIT = CostRounding()


@dataclass(frozen=True)
class TariffVersion:
    """One immutable version. With `tax_included` the prices contain their VAT, else it is added to them. `rounding` is
    the operator's setting of the time: what a session started with is how it is rounded, too. `idle_grace_s`, an
    extension to OCPI, is how long after each end of charging PARKING_TIME is not billed yet."""

    tariff_id: str
    version: int
    operator_id: str
    name: str
    currency: str
    tax_included: bool
    elements: tuple[TariffElement, ...]
    created_at: datetime
    rounding: CostRounding = TO_THE_MINOR_UNIT
    purpose: Purpose = "selling"
    min_price: Price | None = None
    max_price: Price | None = None
    idle_grace_s: int = 0

    @cached_property
    def plan(self) -> Plan:
        """What rating works with."""
        return make_plan(self.elements, self.currency, self.tax_included)

    @property
    def needs_readings(self) -> bool:
        """Whether a bill depends on what was read on the way; where it does not, nobody needs to read that."""
        return self.plan.needs_readings


@dataclass(frozen=True)
class TariffHead:
    """Which version of a tariff is current. A deleted one applies nowhere; sessions keep their version."""

    tariff_id: str
    operator_id: str
    version: int
    updated_at: datetime
    deleted_at: datetime | None = None
