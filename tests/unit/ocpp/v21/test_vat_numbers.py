"""VAT numbers by their form: each member state writes its own."""

from __future__ import annotations

import pytest

from chalicelib.ocpp.v21.vat_numbers import is_vat_number


@pytest.mark.parametrize(
    "text",
    [
        "ATU12345678",
        "BE0123456789",
        "BE1123456789",
        "BG123456789",
        "BG1234567890",
        "CY12345678X",
        "CZ12345678",
        "DE123456789",
        "de 123 456 789",
        "DE-123.456/789",
        "DK12345678",
        "EE123456789",
        "EL123456789",
        "ESX1234567X",
        "ES12345678X",
        "FI12345678",
        "FRXX123456789",
        "FR12123456789",
        "HR12345678901",
        "HU12345678",
        "IE1234567W",
        "IE1234567WA",
        "IE1S23456L",
        "IT12345678901",
        "LT123456789",
        "LT123456789012",
        "LU12345678",
        "LV12345678901",
        "MT12345678",
        "NL123456789B01",
        "PL1234567890",
        "PT123456789",
        "RO12",
        "RO1234567890",
        "SE123456789001",
        "SI12345678",
        "SK1234567890",
        "XI123456789",
        "XIGD123",
    ],
)
def test_numbers_in_the_form_of_their_country(text: str) -> None:
    assert is_vat_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DE",
        "DE12345678",
        "DE1234567890",
        "123456789",
        "GB123456789",
        "CH123456789",
        "GR123456789",
        "AT12345678",
        "ATU1234567",
        "NL123456789C01",
        "SE123456789002",
        "DE12345678X",
        "DE١٢٣٤٥٦٧٨٩",
        "DE123456789\nDE123456789",
        "FRIO123456789",
    ],
)
def test_what_has_the_form_of_no_member_state(text: str) -> None:
    assert not is_vat_number(text)
