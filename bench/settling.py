"""Settling a day of 100 000 sessions of one operator on the local store: how long it takes, and in how much memory.

The day is written as charging leaves it, a CDR and a ledger entry per session, on 1 000 wallets, and settled by the
tasks of the workflow, in a process of its own; then the ledger is proved. The same with a tenth of the sessions shows
whether memory grows with them. `python -m bench.settling <folder> <operator id> <day> <sessions>` is that process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from bench import installation
from chalicelib.charging.model import Cdr
from chalicelib.charging.store.cdrs import CDRS
from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.context import Context
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Balance, Entry, Posting, income_account, payable_account, wallet_account
from chalicelib.ledger.store import BALANCES, ENTRIES
from chalicelib.settlement import jobs
from chalicelib.settlement import service as settlement
from chalicelib.settlement.model import Terms

SESSIONS = 100_000
COMPARED = 10_000
WALLETS = 1_000
COST, ENERGY_WH = 350, 10_000
CHUNK = 1_000
MEMORY_TARGET_MIB = 2
"""What ten times as many sessions may take more of Python's memory: they are streamed."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class SettlingCost:
    """Seconds of the steps. `again_s`: what the next night spends to see that nothing of this day has changed. MiB:
    what Python held at most of all that is read of the day, and the most that the process ever held, which goes up to
    the page cache of the local store."""

    sessions: int
    compute_s: float
    post_s: float
    again_s: float
    proof_s: float
    python_mib: float
    process_mib: float
    is_sound: bool


@dataclass(frozen=True)
class Day:
    """An operator's business day, as charging leaves it."""

    operator_id: str
    date: date

    @property
    def noon(self) -> datetime:
        return datetime.combine(self.date, clock_time(12), UTC)

    def run(self, days: int) -> dict[str, str]:
        """The settlement of the day so many days after this one."""
        return {"operator_id": self.operator_id, "business_day": (self.date + timedelta(days=days)).isoformat()}

    def wallet(self, number: int) -> str:
        return wallet_account(self._driver_id(number), "EUR")

    def cdr(self, number: int) -> Cdr:
        cost = Money(COST, "EUR")
        return Cdr(
            cdr_id=self._id("cdr", number),
            session_id=self._id("ses", number),
            operator_id=self.operator_id,
            charger_id=f"CP-{number % 500:04d}",
            evse_no=1,
            id_token=f"CARD{number % WALLETS:06d}",
            started_at=self.noon,
            ended_at=self.noon + timedelta(hours=1),
            energy_wh=ENERGY_WH,
            total_cost=cost,
            captured=cost,
            uncollected=Money.zero("EUR"),
            business_day=self.date.isoformat(),
            lines=[{"type": "ENERGY", "quantity": "10.000", "price": "0.35", "amount": "3.50"}],
            driver_id=self._driver_id(number),
            captured_tax=Money(56, "EUR"),
        )

    def entry(self, number: int) -> Entry:
        income = income_account(self.operator_id, "EUR")
        return Entry(
            entry_id=self._id("ent", number),
            home_account_id=self.wallet(number),
            kind="consumption",
            currency="EUR",
            postings=[Posting(self.wallet(number), -COST), Posting(income, COST)],
            occurred_at=self.noon + timedelta(hours=1),
            source_id=self._id("ses", number),
            business_day=self.date.isoformat(),
        )

    def top_up(self, number: int, spent: int) -> Entry:
        """What a wallet's sessions were paid with, so that the books close."""
        wallet = self.wallet(number)
        postings = [Posting(wallet, spent * COST), Posting("clearing:stripe:EUR", -spent * COST)]
        return Entry(self._id("ent", -1 - number), wallet, "top_up", "EUR", postings, self.noon, "bench")

    def _id(self, prefix: str, number: int) -> str:
        return derived_id(prefix, self.noon, str(number))

    @staticmethod
    def _driver_id(number: int) -> str:
        return f"drv_{number % WALLETS:06d}"


def measure() -> list[SettlingCost]:
    return [_measure(sessions) for sessions in (COMPARED, SESSIONS)]


def _measure(sessions: int) -> SettlingCost:
    with tempfile.TemporaryDirectory() as name:
        day = write_day(Path(name), sessions)
        command = [sys.executable, "-m", "bench.settling", name, day.operator_id, day.date.isoformat(), str(sessions)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=SettlingCost)


def write_day(folder: Path, sessions: int) -> Day:
    """An operator's first day, with a commission of a tenth for the platform."""
    operator_id = installation.build(folder, charger_count=0, driver_count=0)
    with installation.open_folder(folder) as ctx:
        identity.ensure_platform_admin(ctx, "admin@platform.example", None)
        operator = identity.get_organization(ctx, operator_id)
        day = Day(operator_id, operator.created_at.astimezone(ZoneInfo(operator.time_zone)).date())
        decide_and_commit(
            ctx,
            lambda uow: settlement.make_contract(
                uow,
                operator,
                beneficiary_id=PLATFORM_ID,
                kind="commission",
                currency="EUR",
                terms=Terms(day.date.isoformat(), percent=Decimal(10)),
            ),
        )
        for start in range(0, sessions, CHUNK):
            numbers = range(start, min(start + CHUNK, sessions))
            CDRS.batch_put(ctx, [day.cdr(number) for number in numbers])
            ENTRIES.batch_put(ctx, [day.entry(number) for number in numbers])
        for number in range(WALLETS):
            spent = len(range(number, sessions, WALLETS))
            ENTRIES.batch_put(ctx, [day.top_up(number, spent)])
            BALANCES.batch_put(ctx, [Balance(day.wallet(number), 0, spent + 1)])
    return day


def settle_day(ctx: Context, day: Day, sessions: int) -> SettlingCost:
    nights = [day.run(days) for days in (-9, 0, 1, 2)]
    for night in nights:
        of_day = date.fromisoformat(night["business_day"])
        decide_and_commit(ctx, partial(settlement.open_run, operator_id=day.operator_id, day=of_day))
    _settle(nights[0])  # what a process needs once
    _, compute_s = _timed(lambda: jobs.settlement_compute(nights[1], None))
    _, post_s = _timed(lambda: jobs.settlement_post(nights[1], None))
    _, again_s = _timed(lambda: _settle(nights[2]))
    proof, proof_s = _timed(lambda: proving.prove_ledger(ctx))
    process_mib = _most_held_mib()
    python_mib = _traced_mib(lambda: _settle(nights[3]))  # which slows it down
    owed = [ledger.balance(ctx, payable_account(who, "EUR")).amount for who in (day.operator_id, PLATFORM_ID)]
    return SettlingCost(
        sessions=sessions,
        compute_s=compute_s,
        post_s=post_s,
        again_s=again_s,
        proof_s=proof_s,
        python_mib=python_mib,
        process_mib=process_mib,
        is_sound=proof.fault_count == sum(proof.totals.values()) == 0
        and owed == [sessions * COST * 9 // 10, sessions * COST // 10],
    )


def _settle(event: dict[str, str]) -> None:
    jobs.settlement_compute(event, None)
    jobs.settlement_post(event, None)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    before = time.perf_counter()
    result = work()
    return result, time.perf_counter() - before


def _traced_mib(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1024 / 1024


def _most_held_mib() -> float:
    """By this process, ever. Unlike `ru_maxrss` it does not know who started it."""
    with suppress(FileNotFoundError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


def main(folder: str, operator_id: str, day: str, sessions: str) -> None:
    with installation.open_folder(Path(folder)) as ctx:
        cost = settle_day(ctx, Day(operator_id, date.fromisoformat(day)), int(sessions))
    sys.stdout.buffer.write(msgspec.json.encode(cost))


if __name__ == "__main__":
    main(*sys.argv[1:])
