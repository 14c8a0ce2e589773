"""Where an import stands in its chunks, and how an export is cut into parts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.files.model import EXPORT_LIFECYCLE, IMPORT_LIFECYCLE, Part, chunk_of, first_phase, with_chunk
from chalicelib.files.model.exports import MAX_PART_BYTES, MAX_PART_ROWS
from chalicelib.files.model.imports import SECRETS_RETENTION
from chalicelib.files.model.jobs import OVER, RETENTION


@given(st.lists(st.integers(1, 50), max_size=8))
def test_every_row_has_its_place_in_one_chunk(chunks: list[int]) -> None:
    places = [chunk_of(chunks, position) for position in range(sum(chunks))]
    assert places == [(number, place) for number, size in enumerate(chunks) for place in range(size)]
    assert chunk_of(chunks, sum(chunks)) == (len(chunks), 0)


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 1_000_000)), max_size=60))
def test_parts_hold_every_chunk_once_and_none_is_too_large(pieces: list[tuple[int, int]]) -> None:
    parts: list[Part] = []
    for rows, weight in pieces:
        parts = with_chunk(parts, rows, weight)
    numbers = [number for part in parts for number in range(part.first_chunk, part.first_chunk + part.chunks)]
    assert numbers == list(range(len(pieces)))
    assert sum(part.rows for part in parts) == sum(rows for rows, _ in pieces)
    assert all(part.rows <= MAX_PART_ROWS and part.weight <= MAX_PART_BYTES for part in parts)


@pytest.mark.parametrize("lifecycle", [IMPORT_LIFECYCLE, EXPORT_LIFECYCLE])
def test_what_is_over_stays_over(lifecycle: object) -> None:
    assert lifecycle.final_states == OVER  # type: ignore[attr-defined]
    assert lifecycle.states == {"queued", "running", "done", "failed"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("mode", "dry_run", "phase"),
    [
        ("all_or_nothing", False, "check"),
        ("all_or_nothing", True, "check"),
        ("best_effort", True, "check"),
        ("best_effort", False, "apply"),
    ],
)
def test_only_best_effort_writes_before_it_has_looked_at_all(mode: str, dry_run: bool, phase: str) -> None:
    assert first_phase(mode, dry_run) == phase  # type: ignore[arg-type]


def test_passwords_go_before_the_rest() -> None:
    assert SECRETS_RETENTION < RETENTION == timedelta(days=7)
