"""Who is not signed in, and who is signed in as somebody of another kind, reaches nothing: every endpoint.

What is refused changes no row (`refuses` holds that), so that one platform serves all of these requests; those by which
others might change something have one each, in `test_isolation.py` and `test_isolation_matrix.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.kernel.http import Endpoint
from tests.integration.rest.conftest import build_things, build_world
from tests.integration.rest.strangers import Stranger, make_strangers
from tests.integration.rest.test_isolation import make_foreign_driver, of, refuses
from tests.integration.rest.test_isolation_matrix import NAMING, by_route, refused
from tests.site import Site, build_site
from tests.world import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    built = build_world()
    yield built
    built.close()


@pytest.fixture(scope="module")
def site(world: World) -> Site:
    return build_site(world)


@pytest.fixture(scope="module")
def things(site: Site) -> dict[str, str]:
    return build_things(site)


@pytest.fixture(scope="module")
def foreign_operator(world: World, things: dict[str, str]) -> str:
    return world.operator("Somebody else").access_token


@pytest.fixture(scope="module")
def foreign_driver(world: World, things: dict[str, str]) -> str:
    return make_foreign_driver(world)


@pytest.fixture(scope="module")
def strangers(site: Site, things: dict[str, str]) -> list[Stranger]:
    return make_strangers(site.world, site.operator.organization)


@pytest.mark.parametrize("endpoint", [e for a in ("operator", "driver", "person") for e in of(a)])
def test_without_a_sign_in(world: World, things: dict[str, str], endpoint: Endpoint) -> None:
    refuses(world, endpoint, things, None, 401)


@pytest.mark.parametrize("endpoint", of("operator"))
def test_drivers_are_no_operators(
    world: World, things: dict[str, str], endpoint: Endpoint, foreign_driver: str
) -> None:
    refuses(world, endpoint, things, foreign_driver, 403)


@pytest.mark.parametrize("endpoint", of("driver"))
def test_operators_are_no_drivers(
    world: World, things: dict[str, str], endpoint: Endpoint, foreign_operator: str
) -> None:
    refuses(world, endpoint, things, foreign_operator, 403)


@by_route(NAMING)
def test_no_stranger_reaches_what_a_path_names(
    world: World, things: dict[str, str], strangers: list[Stranger], endpoint: Endpoint
) -> None:
    for stranger in strangers:
        refused(world, endpoint, things, stranger)
