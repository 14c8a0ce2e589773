"""Who is narrowed to places makes nobody who sees more: for every region tree and every choice of regions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity.model.users import check_narrowing
from chalicelib.kernel.errors import DomainError

Tree = dict[str, tuple[str, ...]]
POINTS = ["vpt_1", "vpt_2", "vpt_3"]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Regions by id, each with its lineage, three levels deep."""
    lineages: Tree = {}
    for number in range(draw(st.integers(1, 12))):
        above = draw(st.sampled_from([(), *(line for line in lineages.values() if len(line) < 3)]))
        lineages[f"reg_{number}"] = (*above, f"reg_{number}")
    return lineages


def seen(tree: Tree, region_ids: frozenset[str] | None) -> set[str]:
    return {region for region, line in tree.items() if region_ids is None or not region_ids.isdisjoint(line)}


def allowed(tree: Tree, regions: frozenset[str], points: frozenset[str], by: tuple[object, object]) -> bool:
    try:
        check_narrowing("operator", [tree[region] for region in regions], points, by)  # type: ignore[arg-type]
    except DomainError as error:
        if error.code != "forbidden":
            raise
        return False
    return True


@given(trees(), st.data())
def test_whom_one_may_look_after_sees_no_more_than_oneself(tree: Tree, data: st.DataObject) -> None:
    some = st.frozensets(st.sampled_from(sorted(tree)))
    points = st.frozensets(st.sampled_from(POINTS))
    some_own = st.frozensets(st.sampled_from(sorted(tree)), min_size=1)
    own = (data.draw(st.none() | some_own), data.draw(st.none() | st.frozensets(st.sampled_from(POINTS), min_size=1)))
    regions, at_points = data.draw(some), data.draw(points)
    may = allowed(tree, regions, at_points, own)
    no_more_regions = seen(tree, regions or None) <= seen(tree, own[0])
    no_more_points = own[1] is None or (bool(at_points) and at_points <= own[1])
    if may:
        assert no_more_regions
        assert no_more_points
    if own == (None, None) or (regions, at_points) == own:
        assert may, "who is not narrowed looks after everybody, and everybody after those who are narrowed alike"


@pytest.mark.parametrize("kind", ["platform", "manufacturer", "dealer", "agency"])
def test_only_operators_have_places(kind: str) -> None:
    check_narrowing(kind, [], [], (None, None))
    for regions, points in (([("reg_1",)], []), ([], ["vpt_1"])):
        with pytest.raises(DomainError) as caught:
            check_narrowing(kind, regions, points, (None, None))
        assert caught.value.code == "user.not_narrowable"
