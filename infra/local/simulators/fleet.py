"""The simulated chargers of a platform, as a source of work for its worker.

The worker's thread asks and waits, the chargers live in the loop. So a jump of the clock lets them send what they
would have sent on the way, in the order of time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from infra.local.simulators.charger import SimulatedCharger

ACT_LIMIT_S: Final = 60.0

_LOG = logging.getLogger(__name__)


class Fleet:
    """`launch` in the running loop; `next_due` and `run_due` from the worker's thread; `land` in the loop."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._chargers: list[SimulatedCharger] = []

    def launch(self, chargers: list[SimulatedCharger]) -> None:
        self._loop = asyncio.get_running_loop()
        self._chargers = chargers

    def next_due(self) -> datetime | None:
        return min((charger.next_due() for charger in self._chargers), default=None)

    def run_due(self) -> int:
        """Lets each charger do what is due; returns how many did."""
        now = self._now()
        due = [charger for charger in self._chargers if charger.next_due() <= now]
        if not due or self._loop is None or self._loop.is_closed():
            return 0
        acted = asyncio.run_coroutine_threadsafe(_act(due), self._loop)
        try:
            acted.result(timeout=ACT_LIMIT_S)
        except TimeoutError:
            acted.cancel()
            _LOG.warning("the simulated chargers are stuck")
        return len(due)

    def keep_away(self, charger_id: str, span: timedelta) -> None:
        """Has a charger stay offline that long once its connection is gone; in the loop."""
        for charger in self._chargers:
            if charger.identity == charger_id:
                charger.keep_away(self._now() + span)

    async def land(self) -> None:
        """Hangs up and stays silent."""
        chargers, self._chargers = self._chargers, []
        for charger in chargers:
            await charger.close()


async def _act(chargers: list[SimulatedCharger]) -> None:
    for charger in chargers:
        try:
            await charger.act()
        except Exception:
            _LOG.exception("simulated charger %s stumbled", charger.identity)
            await charger.close()
