"""`python -m bench [names]`: measures this machine, prints a table, writes build/bench.json. `make bench` runs all.

Names: the load cases (sessions heartbeat status meter-values light connects), `frames` (their CPU without storage),
`cost`, `rating`, `settling`, `cold-start`; and by name only the two close-ups `gateway-echo` and `dynamodb-engine`.
Targets that are missed are told, and the exit status is 1 only if the books of a run do not close: a slow machine is no
defect.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-local-1")

from bench import cases, cold_start, machine
from bench.cases import CPU_RATIO_TARGET, LOAD_CASES, Figures

RESULTS = Path("build/bench.json")
COST_TARGETS = {"standard": 0.08, "pushed": 0.05}
COLD_START_TARGET_MS = 350
CLOSE_UPS = ("gateway-echo", "dynamodb-engine")
COMPARED = ("sessions", "heartbeat", "status", "meter-values")


def main() -> int:
    names = [case.name for case in LOAD_CASES] + ["frames", "cost", "rating", "settling", "cold-start"]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join([*names, *CLOSE_UPS])}; all but the last two if none")
    chosen = parser.parse_args().names or names
    unknown = set(chosen) - {*names, *CLOSE_UPS}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    results: dict[str, Any] = {"machine": machine.describe(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    say(f"{results['machine']}; load average {os.getloadavg()[0]:.1f}\n")
    sound = True
    if any(case.name in chosen for case in LOAD_CASES):
        results["load"], sound = load(chosen)
    if "frames" in chosen:
        results["frames"] = frames_without_storage()
    if "cost" in chosen:
        results["cost"] = cost_of_actions()
    if "rating" in chosen:
        results["rating_ms"] = rating_costs()
    if "settling" in chosen:
        results["settling"], closed = settled_days()
        sound = sound and closed
    if "cold-start" in chosen:
        results["cold_start_ms"] = cold_starts()
    for name in CLOSE_UPS:
        if name in chosen:
            close_up(name)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    say(f"written to {RESULTS}")
    return 0 if sound else 1


def load(chosen: list[str]) -> tuple[list[dict[str, Any]], bool]:
    """Plays the chosen load cases; the figures, and whether all books closed."""
    say(f"{'load':42}{'server':14}{'CALL/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'us/CALL':>9}")
    measured: list[Figures] = []
    with cases.prepared() as bench:
        for case in LOAD_CASES:
            if case.name not in chosen:
                continue
            ours = bench.platform(case)
            measured.append(ours)
            _say_figures(ours)
            reference = bench.reference(case)
            measured.append(reference)
            _say_figures(reference)
            if case.name in COMPARED:
                ratio = ours.cpu_us_per_call / reference.cpu_us_per_call
                say(f"{'':4}CPU per CALL is {ratio:.2f} times the reference's (aim: {CPU_RATIO_TARGET})")
    say("")
    sound = all(
        not figures.books or not any("books" in m or "ledger" in m for m in figures.missed) for figures in measured
    )
    return [dataclasses.asdict(figures) for figures in measured], sound


def _say_figures(figures: Figures) -> None:
    say(
        f"{figures.title:42}{figures.server:14}{figures.calls_per_s:8.0f}{figures.p50_ms:8.2f}{figures.p99_ms:8.1f}"
        f"{figures.cpu_us_per_call:9.0f}"
    )
    if figures.connects_per_s is not None:
        say(f"{'':4}{figures.connects_per_s:.0f} connects/s, {figures.kib_per_connection:.1f} KiB each")
    if figures.books is not None:
        say(f"{'':4}books: {', '.join(f'{name} {value}' for name, value in figures.books.items())}")
    for text in figures.missed:
        say(f"{'':4}MISSED: {text}")


def frames_without_storage() -> list[dict[str, Any]]:
    from bench import frame_cost

    measured = frame_cost.measure()
    say(f"{'frame without storage, CPU us':42}{'Wattfare':>10}{'ocpp':>10}{'in place':>10}{'ratio':>8}")
    for cost in measured:
        say(f"{cost.action:42}{cost.ours_us:10.1f}{cost.default_us:10.1f}{cost.in_place_us:10.1f}{cost.ratio:8.1f}")
        if cost.ours_us > frame_cost.TARGET_US or cost.ratio < frame_cost.TARGET_RATIO:
            say(f"{'':4}MISSED: wanted <= {frame_cost.TARGET_US} us and a ratio >= {frame_cost.TARGET_RATIO}")
    say("")
    return [{**dataclasses.asdict(cost), "ratio": cost.ratio} for cost in measured]


def cost_of_actions() -> dict[str, Any]:
    from bench import cost, prices

    used = cost.measure()
    session = cost.session(used, prices.STANDARD.meter_values)
    say(
        f"{'AWS, per action':28}{'WRU':>6}{'RRU':>6}{'messages':>10}{'transitions':>13}{'log bytes':>11}{'trips':>7}"
        f"{'message log WRU':>17}"
    )
    for name, usage in {**used, "a session of an hour": session}.items():
        say(
            f"{name:28}{usage.wru:6.1f}{usage.rru:6.1f}{usage.messages:10.0f}{usage.transitions:13.0f}"
            f"{usage.log_bytes:11.0f}{usage.round_trips:7.0f}{usage.message_log_wru:17.1f}"
        )
    say("")
    found: dict[str, Any] = {"actions": {name: dataclasses.asdict(usage) for name, usage in used.items()}}
    for key, of in (("standard", prices.STANDARD), ("pushed", prices.PUSHED)):
        items = prices.monthly(used, of)
        total, workflow = prices.total(items), items["state transitions"]
        say(f"USD per charger-month, {of.name}")
        say("".join(f"  {name} {usd:.4f}" for name, usd in items.items()))
        say(f"  total {total:.4f} (aim: {COST_TARGETS[key]}), the workflow {workflow:.4f} of it\n")
        found[key] = {**items, "total": total}
    return found


def rating_costs() -> dict[str, float]:
    from bench import rating

    say(f"{'rating':42}{'ms':>8}")
    measured = rating.measure()
    for cost in measured:
        say(f"{cost.title:42}{cost.ms:8.4f}")
        if cost.target_ms is not None and cost.ms > cost.target_ms:
            say(f"{'':4}MISSED: wanted <= {cost.target_ms} ms")
    say("")
    return {cost.title: cost.ms for cost in measured}


def settled_days() -> tuple[list[dict[str, Any]], bool]:
    """A big day and a small one; and whether the books of both closed."""
    from bench import settling

    say(
        f"{'settling a day':18}{'compute s':>11}{'post s':>9}{'next night':>12}{'proof':>7}{'Python MiB':>12}{'all':>6}"
    )
    measured = settling.measure()
    for cost in measured:
        say(
            f"{f'{cost.sessions} sessions':18}{cost.compute_s:11.1f}{cost.post_s:9.1f}{cost.again_s:12.1f}"
            f"{cost.proof_s:7.1f}{cost.python_mib:12.1f}{cost.process_mib:6.0f}"
        )
        if not cost.is_sound:
            say(f"{'':4}MISSED: the books do not close")
    if measured[-1].python_mib - measured[0].python_mib > settling.MEMORY_TARGET_MIB:
        say(f"{'':4}MISSED: wanted <= {settling.MEMORY_TARGET_MIB} MiB more for ten times as many")
    say("")
    return [dataclasses.asdict(cost) for cost in measured], all(cost.is_sound for cost in measured)


def cold_starts() -> dict[str, float]:
    say(f"{'imports of an entry point':42}{'ms':>8}")
    found = {module: cold_start.import_ms(module) for module in cold_start.ENTRY_POINTS}
    for module, ms in found.items():
        say(f"{module:42}{ms:8.0f}")
    say(f"{'':4}aim for ws_handlers.message: {COLD_START_TARGET_MS}\n")
    return found


def close_up(name: str) -> None:
    from bench import dynamodb_engine, gateway_echo

    say(name)
    if name == "gateway-echo":
        gateway_echo.run()
    else:
        dynamodb_engine.main(dynamodb_engine.OPERATIONS)
    say("")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
