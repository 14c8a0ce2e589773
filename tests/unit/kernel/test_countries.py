"""Countries are those of ISO 3166-1."""

from __future__ import annotations

import pytest

from chalicelib.kernel.countries import COUNTRIES, check_country
from chalicelib.kernel.errors import DomainError


def test_the_countries_that_there_are() -> None:
    assert len(COUNTRIES) == 250
    for code in (None, "DE", "KE", "AX", "ZW", "XK"):
        check_country(code)


@pytest.mark.parametrize("code", ["ZZ", "QQ", "UK", "EU", "de", ""])
def test_what_is_no_country(code: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_country(code, "/country_code")
    [error] = refused.value.fields
    assert (error.code, error.pointer) == ("country.unknown", "/country_code")
