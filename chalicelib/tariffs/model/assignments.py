"""What tariffs apply to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.tariffs.model.versions import Purpose

AssignmentKind = Literal["driver_group", "charger", "charger_group", "location", "operator", "organization"]
"""Nearest first. `operator` is everything of the operator whose tariff it is; `organization` what an organisation above
offers to all operators below it."""


@dataclass(frozen=True)
class TariffAssignment:
    """What a tariff applies to; `operator_id` is the organisation whose tariff it is. A target has one of each
    purpose."""

    operator_id: str
    kind: AssignmentKind
    target_id: str
    tariff_id: str
    assigned_at: datetime
    purpose: Purpose = "selling"


@dataclass(frozen=True)
class PricePlace:
    """Where prices are asked for, with what it is within. `charger_group_ids` (sub-group before group) and `above` (the
    organisations above the operator) are nearest first. `currency` is the operator's."""

    charger_id: str
    location_id: str | None
    charger_group_ids: tuple[str, ...]
    operator_id: str
    above: tuple[str, ...] = ()
    currency: str | None = None
