"""How much is billed at which price: a delivery, cut where a price may change. Pure.

A stretch is cut at the times of day, dates, durations and amounts of energy at which the tariff may change. Energy is
whole Wh and its parts sum to what the meter delivered, time is whole seconds and one belongs to the price at its
beginning.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.components.pieces import Dimension, Piece
from chalicelib.tariffs.components.steps import round_up, rounded_dimensions
from chalicelib.tariffs.model.consumption import Consumption
from chalicelib.tariffs.model.plans import Plan, Prices
from chalicelib.tariffs.model.versions import TariffVersion
from chalicelib.tariffs.rating.local_time import LocalTime
from chalicelib.tariffs.rating.stretches import Stretch, stretches
from chalicelib.tariffs.restrictions.situations import Situation

_Cut = tuple[int, int]
"""Seconds and Wh since the start."""


class _Counted(NamedTuple):
    """By number of the component; `last` is the one that priced a dimension last."""

    amounts: dict[int, int]
    last: dict[Dimension, int]


def billed_quantities(tariff: TariffVersion, consumption: Consumption) -> dict[int, int]:
    """What is billed of each component that counts, by its number: Wh, seconds or times, in whole steps."""
    plan = tariff.plan
    if plan.always is not None and not plan.bills_time:
        counted = _count_sums(plan.always, consumption)
    else:
        counted = _count(plan, consumption, tariff.idle_grace_s)
    amounts, last = counted
    for dimension in rounded_dimensions(last):
        step_size = plan.components[last[dimension]].step_size
        if step_size > 1:
            total = sum(amounts[number] for number in amounts if plan.components[number].type == dimension)
            amounts[last[dimension]] += round_up(total, step_size) - total
    return amounts


def _count_sums(prices: Prices, consumption: Consumption) -> _Counted:
    """The quick way for what does not depend on when energy flowed."""
    energy_wh = max(0, consumption.energy_wh)
    counted = _Counted({}, {})
    if energy_wh or consumption.duration_s:
        _add(counted, prices, Piece(energy_wh, 0, 0))
    return counted


def _count(plan: Plan, consumption: Consumption, grace_s: int) -> _Counted:
    """Neighbouring pieces under the same prices are added up before they are counted: most are."""
    timeline = _Timeline(plan, consumption)
    counted = _Counted({}, {})
    prices: Prices = ()
    energy_wh = charging_s = idle_s = 0
    for stretch in stretches(consumption, grace_s):
        begin_s, begin_wh, _, _, power_w, is_idle, free_s = stretch
        for end_s, end_wh in timeline.cuts(stretch):
            found = timeline.prices(begin_s, begin_wh, power_w)
            if found is not prices:
                _add(counted, prices, Piece(energy_wh, charging_s, idle_s))
                prices, energy_wh, charging_s, idle_s = found, 0, 0, 0
            energy_wh += end_wh - begin_wh
            if not is_idle:
                charging_s += end_s - begin_s
            elif begin_s >= free_s:
                idle_s += end_s - begin_s
            begin_s, begin_wh = end_s, end_wh
    _add(counted, prices, Piece(energy_wh, charging_s, idle_s))
    return counted


def _add(counted: _Counted, prices: Prices, piece: Piece) -> None:
    amounts, last = counted
    for dimension, number in prices:
        component = COMPONENTS[dimension]
        amount = component.quantity(piece)
        if amount and not (component.is_once and dimension in last):
            amounts[number] = amounts.get(number, 0) + amount
            last[dimension] = number


class _Timeline:
    """Where prices change in one delivery, and which apply in between."""

    def __init__(self, plan: Plan, consumption: Consumption) -> None:
        self._plan = plan
        duration_s = consumption.duration_s
        edges = {edge for edge in plan.durations_s if edge < duration_s}
        self._local = None
        if plan.times_of_day_s:
            self._local = LocalTime(consumption.started_at, duration_s, consumption.time_zone)
            edges.update(self._local.edges(plan.times_of_day_s))
        self._edges_s = sorted(edges)
        self._known: dict[tuple[int, int, int], Prices] = {}

    def cuts(self, stretch: Stretch) -> Iterable[_Cut]:
        """The ends of the pieces of a stretch, in order."""
        begin_s, begin_wh, end_s, end_wh, _, is_idle, free_s = stretch
        edges_s, energies_wh = self._edges_s, self._plan.energies_wh
        times = edges_s[bisect_right(edges_s, begin_s) : bisect_left(edges_s, end_s)]
        tiers = energies_wh[bisect_right(energies_wh, begin_wh) : bisect_left(energies_wh, end_wh)]
        if is_idle and begin_s < free_s < end_s:
            times.append(free_s)
        if not times and not tiers:
            return ((end_s, end_wh),)
        took_s, took_wh = end_s - begin_s, end_wh - begin_wh
        cuts = [(at_s, begin_wh + took_wh * (at_s - begin_s) // took_s) for at_s in times]
        cuts += [(begin_s - took_s * (begin_wh - tier_wh) // took_wh, tier_wh) for tier_wh in tiers]
        cuts.sort()
        cuts.append((end_s, end_wh))
        return cuts

    def prices(self, at_s: int, energy_wh: int, power_w: int) -> Prices:
        """The same object for the same prices."""
        plan = self._plan
        if plan.always is not None:
            return plan.always
        between = (
            bisect_right(self._edges_s, at_s),
            bisect_right(plan.energies_wh, energy_wh),
            bisect_right(plan.powers_w, power_w),
        )
        prices = self._known.get(between)
        if prices is None:
            local_day, local_s = self._local.at(at_s) if self._local is not None else (0, 0)
            prices = plan.prices_at(Situation(local_day, local_s, at_s, energy_wh, power_w))
            self._known[between] = prices
        return prices
