"""Countries are those of ISO 3166-1."""

from __future__ import annotations

import pytest

from chalicelib.kernel.countries import COUNTRIES, check_country, country_name
from chalicelib.kernel.errors import DomainError


def test_the_countries_that_there_are() -> None:
    assert len(COUNTRIES) == 250
    for code in (None, "DE", "KE", "AX", "ZW", "XK"):
        check_country(code)


def test_countries_have_names_for_addresses() -> None:
    names = [country_name(code) for code in sorted(COUNTRIES)]
    assert len(set(names)) == 250
    assert all(name and len(name) > 3 and name[0] in "ÅABCDEFGHIJKLMNOPQRSTUVWXYZ" for name in names)
    assert (country_name("DE"), country_name("CI"), country_name("XK")) == ("Germany", "Côte d'Ivoire", "Kosovo")
    assert (country_name(None), country_name("ZZ")) == (None, "ZZ")


@pytest.mark.parametrize("code", ["ZZ", "QQ", "UK", "EU", "de", ""])
def test_what_is_no_country(code: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_country(code, "/country_code")
    [error] = refused.value.fields
    assert (error.code, error.pointer) == ("country.unknown", "/country_code")
