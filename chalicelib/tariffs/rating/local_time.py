"""A location's clock beside the session's: where times of the day fall, right across changes of the clock. Pure.

The zone is asked for its distance from UTC only; where that changes on the way is found to the second. In between local
time is plain arithmetic: a night in which the clock jumps is an hour shorter or longer, and nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from chalicelib.tariffs.restrictions.situations import DAY_S

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LocalTime:
    """`start` is the beginning of the session; all else is counted in whole seconds from there."""

    def __init__(self, start: datetime, duration_s: int, time_zone: str) -> None:
        since = start - _EPOCH
        self._start_s = since.days * DAY_S + since.seconds
        self._duration_s = duration_s
        self._zone = ZoneInfo(time_zone)
        self._changes, self._distances = self._walk()

    def at(self, after_s: int) -> tuple[int, int]:
        """Local day (since 1970-01-01) and second of that day."""
        distance = self._distances[bisect_right(self._changes, after_s) - 1]
        return divmod(self._start_s + after_s + distance, DAY_S)

    def edges(self, times_of_day_s: Sequence[int]) -> Iterator[int]:
        """When the clock shows one of these times, or jumps, after the start. In no order, not beyond the end by more
        than a day."""
        yield from self._changes[1:]
        for begin, distance in zip(self._changes, self._distances, strict=True):
            end = next((change for change in self._changes if change > begin), self._duration_s)
            midnight_s = begin - (self._start_s + begin + distance) % DAY_S
            for day_s in range(midnight_s, end, DAY_S):
                yield from (at for time_s in times_of_day_s if begin < (at := day_s + time_s) < end)

    def _walk(self) -> tuple[list[int], list[int]]:
        """Where the distance from UTC changes, and what it is from there on; looked at once a day."""
        changes, distances = [0], [self._distance(0)]
        for seen in range(0, self._duration_s, DAY_S):
            ahead = min(seen + DAY_S, self._duration_s)
            distance = self._distance(ahead)
            if distance != distances[-1]:
                changes.append(self._change(seen, ahead, distance))
                distances.append(distance)
        return changes, distances

    def _change(self, before: int, after: int, distance: int) -> int:
        """The first second with that distance."""
        while after - before > 1:
            middle = (before + after) // 2
            if self._distance(middle) == distance:
                after = middle
            else:
                before = middle
        return after

    def _distance(self, after_s: int) -> int:
        offset = datetime.fromtimestamp(self._start_s + after_s, self._zone).utcoffset()
        return 0 if offset is None else offset.days * DAY_S + offset.seconds
