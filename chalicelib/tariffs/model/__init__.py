"""Tariffs as OCPI 2.2.1 has them (section 11): elements of price components. Pure.

A version of a tariff never changes: what a session started with is what it is billed with. `elements` what prices are
written in; `versions` tariffs; `checks` which are accepted; `assignments` what they apply to; `consumption` what is to
be paid for; `costs` what it costs.
"""

from chalicelib.tariffs.components.pieces import Dimension
from chalicelib.tariffs.model.assignments import AssignmentKind, PricePlace, TariffAssignment
from chalicelib.tariffs.model.checks import MAX_ELEMENTS, check_elements, check_tariff
from chalicelib.tariffs.model.consumption import Consumption, Reading, what_if
from chalicelib.tariffs.model.costs import CostLine, LineKind, RatedCost
from chalicelib.tariffs.model.elements import Price, PriceComponent, TariffElement
from chalicelib.tariffs.model.versions import TO_THE_MINOR_UNIT, Purpose, TariffHead, TariffVersion
from chalicelib.tariffs.restrictions.restrictions import DayOfWeek, Restrictions

__all__ = [
    "MAX_ELEMENTS",
    "TO_THE_MINOR_UNIT",
    "AssignmentKind",
    "Consumption",
    "CostLine",
    "DayOfWeek",
    "Dimension",
    "LineKind",
    "Price",
    "PriceComponent",
    "PricePlace",
    "Purpose",
    "RatedCost",
    "Reading",
    "Restrictions",
    "TariffAssignment",
    "TariffElement",
    "TariffHead",
    "TariffVersion",
    "check_elements",
    "check_tariff",
    "what_if",
]
