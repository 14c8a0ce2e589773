"""A simulated charger: boots, reports, charges a car when told to, and survives whatever the network does.

`fleet.py` calls `act` whenever `next_due` has come, on the platform's virtual clock, so that an hour's charge passes
when somebody moves the clock by an hour. The same hardware stands behind either protocol's face. After a restart it
reports a power loss, as real ones do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from infra.local.simulators.device_model import HEARTBEAT_INTERVAL, SAMPLE_INTERVAL
from infra.local.simulators.evse import Delivery, Evse, Stop
from infra.local.simulators.face import Boot, BootReason, Errands, Face
from infra.local.simulators.hardware import Hardware
from infra.local.simulators.ocpp_client import Disconnected, OcppClient, Payload, Refused
from infra.local.simulators.v16.face import FaceV16
from infra.local.simulators.v201.face import FaceV201

FIRST_BACKOFF: Final = timedelta(seconds=1)
LAST_BACKOFF: Final = timedelta(minutes=1)
PENDING_RETRY: Final = timedelta(seconds=60)
RESET_TIME: Final = timedelta(seconds=4)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FACES: Final = {face.subprotocol: face for face in (FaceV16, FaceV201)}

_LOG = logging.getLogger(__name__)


class SimulatedCharger:
    """`now` is the platform's clock; `memory` where the charger keeps its meters, None for nowhere."""

    def __init__(
        self,
        url: str,
        identity: str,
        password: str,
        now: Callable[[], datetime],
        memory: Path | None,
        *,
        subprotocol: str = FaceV16.subprotocol,
        evse_count: int = 2,
        power_w: int = 11_000,
    ) -> None:
        self.identity = identity
        self.hardware = Hardware(now, password.encode(), memory, evse_count=evse_count, power_w=power_w)
        self._now = now
        self._errands = Errands()
        self._client = OcppClient(url, identity, subprotocol, self._obey)
        self._face: Face = _FACES[subprotocol](identity, self.hardware, self._errands, self._client.call)
        self._backoff = FIRST_BACKOFF
        self._connect_at = now()
        self._away_until = now()
        self._was_connected = False
        self._accepted = False
        self._boot_reason: BootReason = "power_up"
        self._boot_retry = PENDING_RETRY
        self._alive_at = now()

    # -- the clock's side -------------------------------------------------------------------------------------------

    def next_due(self) -> datetime:
        """When `act` has something to do; from any thread."""
        if not self._client.connected:
            return self._connect_at  # of a connection that was just lost: long ago, so that it is noticed at once
        dues = [self._sign_of_life_due()]
        if self._errands:
            dues.append(_LONG_AGO)
        hardware = self.hardware
        if hardware.restart is not None and hardware.is_idle:
            dues.append(hardware.restart.at)
        if hardware.rejoin_at is not None:
            dues.append(hardware.rejoin_at)
        if self._accepted:
            dues += [due for evse in hardware.evses.values() if (due := evse.next_due()) is not None]
            dues += [_LONG_AGO for evse in hardware.evses.values() if self._is_news(evse)]
        return min(dues)

    async def act(self) -> None:
        """Does what is due. Never raises for the network's sake: it connects again later."""
        try:
            await self._act()
        except Disconnected:
            self._lose()
        except Refused as refused:
            _LOG.warning("simulated charger %s was refused: %s", self.identity, refused)
            await self._client.close()
            self._lose()

    def keep_away(self, until: datetime) -> None:
        """Once the connection is gone, no new one before `until`: somebody dug up the cable."""
        self._away_until = until

    async def close(self) -> None:
        await self._client.close()

    async def _act(self) -> None:
        if not self._client.connected:
            if self._was_connected:
                self._lose()
                return
            await self._come_online()
            return
        now, hardware = self._now(), self.hardware
        if hardware.restart is not None and hardware.is_idle and now >= hardware.restart.at:
            await self._restart("scheduled_reset" if hardware.restart.is_scheduled else "remote_reset")
            return
        if hardware.rejoin_at is not None and now >= hardware.rejoin_at:
            await self._come_online()
        await self._run_errands()
        if now >= self._sign_of_life_due():
            await self._show_life()
        if not self._accepted:
            return
        for evse in hardware.evses.values():
            due = evse.next_due()
            if due is not None and now >= due:
                await self._work(evse)
        await self._tell_news()

    # -- the connection ---------------------------------------------------------------------------------------------

    def _lose(self) -> None:
        self._was_connected = False
        self._connect_at = max(self._now() + self._backoff, self._away_until)
        self._backoff = min(2 * self._backoff, LAST_BACKOFF)

    async def _come_online(self) -> None:
        """With the password of now, also in place of a connection that was made with an old one."""
        self.hardware.rejoin_at = None
        await self._client.connect(self.hardware.password)
        self._was_connected = True
        self._backoff = FIRST_BACKOFF
        for evse in self.hardware.evses.values():
            evse.told = None
        if self._accepted:
            await self._tell_news()
        else:
            await self._boot()

    async def _restart(self, why: BootReason) -> None:
        self.hardware.restart = None
        self._errands.forget()
        self._accepted = False
        self._boot_reason = why
        await self._client.close()
        self._was_connected = False
        self._connect_at = max(self._now() + RESET_TIME, self._away_until)

    def _sign_of_life_due(self) -> datetime:
        if not self._accepted:
            return self._alive_at + self._boot_retry
        return self._alive_at + self.hardware.variables.seconds(HEARTBEAT_INTERVAL)

    async def _show_life(self) -> None:
        if not self._accepted:
            await self._boot()
            return
        await self._face.heartbeat()
        self._alive_at = self._now()

    async def _boot(self) -> None:
        await self._booted(await self._face.boot(self._boot_reason))

    async def _booted(self, answer: Boot) -> None:
        interval_s = max(1, answer.interval_s)
        self._accepted = answer.accepted
        self._alive_at = self._now()
        if not answer.accepted:
            self._boot_retry = timedelta(seconds=interval_s)
            return
        self.hardware.variables.changed[HEARTBEAT_INTERVAL] = str(interval_s)
        for evse in self.hardware.evses.values():
            if evse.interrupted is not None:
                await self._face.end_interrupted(evse, evse.interrupted)
                evse.interrupted = None
        self.hardware.keep()
        await self._tell_news()

    async def _run_errands(self) -> None:
        """What was refused is not tried again; what was not answered is."""
        for _ in range(len(self._errands)):
            try:
                told = await self._errands.first()()
                if isinstance(told, Boot):
                    await self._booted(told)
            except Refused as refused:
                _LOG.warning("simulated charger %s was refused: %s", self.identity, refused)
            self._errands.done()

    def _obey(self, action: str, payload: Payload) -> Payload:
        """Answers at once; what follows is done by `act`."""
        return self._face.obey(action, payload)

    # -- charging ---------------------------------------------------------------------------------------------------

    def _is_news(self, evse: Evse) -> bool:
        is_ending = evse.delivery is not None and evse.delivery.stop is not None
        return not is_ending and self._face.status_word(evse) != evse.told

    async def _tell_news(self) -> None:
        for evse in self.hardware.evses.values():
            if self._is_news(evse):
                word = self._face.status_word(evse)
                await self._face.tell_status(evse)
                evse.told = word

    async def _work(self, evse: Evse) -> None:
        delivery = evse.delivery
        if delivery is None:
            await self._expire(evse)
        elif not delivery.is_running:
            await self._begin(evse, delivery)
        else:
            await self._go_on(evse, delivery)

    async def _expire(self, evse: Evse) -> None:
        reservation, evse.reservation = evse.reservation, None
        if reservation is not None:
            self._errands.add(lambda: self._face.tell_expired(reservation))

    async def _begin(self, evse: Evse, delivery: Delivery) -> None:
        delivery.is_plugged = True
        await self._tell_news()
        evse.power_w = self.hardware.allowed_w(evse, delivery)
        may_go_on = await self._face.begin(evse, delivery)
        evse.measured_at = self._now()
        delivery.meter_due = evse.measured_at + self.hardware.variables.seconds(SAMPLE_INTERVAL)
        delivery.is_running = True
        if not may_go_on:
            evse.power_w = 0
            self.hardware.end(evse, "deauthorized")
        self.hardware.keep()

    async def _go_on(self, evse: Evse, delivery: Delivery) -> None:
        evse.measure(self._now())
        if evse.is_full:
            self.hardware.end(evse, "full")
        if delivery.stop is not None:
            await self._end(evse, delivery, delivery.stop)
            return
        self.hardware.adjust()
        await self._face.meter(evse, delivery)
        delivery.meter_due = self._now() + self.hardware.variables.seconds(SAMPLE_INTERVAL)
        self.hardware.keep()

    async def _end(self, evse: Evse, delivery: Delivery, why: Stop) -> None:
        await self._face.end(evse, delivery, why)
        self.hardware.release(evse)
        evse.is_finishing = True
        try:
            await self._tell_news()
        finally:
            evse.is_finishing = False
