"""What a local list is made of: differences, pages, versions. Pure."""

from __future__ import annotations

import pytest

from chalicelib.maintenance.model.local_lists import (
    MAX_VERSION,
    PAGE_ENTRIES,
    ListEntry,
    changes_between,
    next_versions,
    pages_of,
)


def test_differences() -> None:
    held = {"A": ListEntry("A"), "B": ListEntry("b", group_id="G")}
    wanted = {"B": ListEntry("b", group_id="H"), "C": ListEntry("C")}
    assert changes_between(held, wanted) == [
        {"id_token": "A"},
        {"id_token": "b", "status": "Accepted", "group_id": "H"},
        {"id_token": "C", "status": "Accepted"},
    ]
    assert changes_between(held, held) == []


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (PAGE_ENTRIES, 1), (PAGE_ENTRIES + 1, 2)])
def test_pages(count: int, pages: int) -> None:
    assert len(pages_of([{}] * count, PAGE_ENTRIES)) == pages


def test_versions_stay_within_ocpps_integer() -> None:
    assert next_versions(7, 3) == 8
    assert next_versions(MAX_VERSION - 3, 3) == MAX_VERSION - 2
    assert next_versions(MAX_VERSION - 2, 3) == 1
