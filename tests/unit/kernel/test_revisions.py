"""What If-Match names, and what it is compared with."""

from __future__ import annotations

import pytest

from chalicelib.kernel.actor import ANONYMOUS
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.http import Request
from chalicelib.kernel.revisions import check_revision, etag_of, expected_revision
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.world import World


def expected(world: World, headers: dict[str, str]) -> int | None:
    return expected_revision(Request(world.ctx, UnitOfWork(world.ctx), ANONYMOUS, "req_1", headers=headers))


@pytest.mark.parametrize("headers", [{}, {"if-match": "*"}, {"if-match": " * "}])
def test_whatever_there_is(world: World, headers: dict[str, str]) -> None:
    assert expected(world, headers) is None


@pytest.mark.parametrize("revision", [0, 1, 10**15 - 1])
def test_what_was_given_out_is_understood(world: World, revision: int) -> None:
    assert expected(world, {"if-match": etag_of(revision)}) == revision


@pytest.mark.parametrize("text", ["1", 'W/"1"', '"1", "2"', '"01"', '"-1"', '"x"', '""', '"', "", '"²"', f'"{10**15}"'])
def test_what_was_never_given_out_matches_nothing(world: World, text: str) -> None:
    assert expected(world, {"if-match": text}) == -1


def test_a_change_in_between_is_told() -> None:
    check_revision(None, 3, "user_group")
    check_revision(3, 3, "user_group")
    with pytest.raises(DomainError) as caught:
        check_revision(2, 3, "user_group")
    assert (caught.value.code, caught.value.detail) == (
        "user_group.changed",
        "The user group was changed since it was read.",
    )
