"""What a charger is told about an id token, in the words of 2.x."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from chalicelib.charging.model import Authorization, AuthorizationStatus
from chalicelib.ocpp.schemas import SchemaFolder
from chalicelib.ocpp.v201.id_token_info import id_token_info

UNTIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("accepted", "Accepted"),
        ("blocked", "Blocked"),
        ("expired", "Expired"),
        ("invalid", "Invalid"),
        ("concurrent", "ConcurrentTx"),
        ("no_credit", "NoCredit"),
    ],
)
def test_each_status_has_its_word(status: AuthorizationStatus, word: str) -> None:
    assert id_token_info(Authorization(status, "drv_1")) == {"status": word}


@pytest.mark.parametrize("folder", ["v201", "v21"])
@pytest.mark.parametrize("status", get_args(AuthorizationStatus))
@pytest.mark.parametrize("driver_id", [None, "drv_1"])
def test_every_answer_conforms(folder: str, status: AuthorizationStatus, driver_id: str | None) -> None:
    info = id_token_info(Authorization(status, driver_id, UNTIL, "FLEET"))
    assert SchemaFolder(folder).violation("AuthorizeResponse", {"idTokenInfo": info}) is None
    assert info["cacheExpiryDateTime"] == "2026-04-01T00:00:00.000Z"


def test_a_token_that_nobody_owns_is_unknown() -> None:
    assert id_token_info(Authorization("invalid")) == {"status": "Unknown"}


@pytest.mark.parametrize(("group", "told"), [("F" * 36, True), ("F" * 37, False), ("", False)])
def test_a_group_is_told_if_it_fits(group: str, told: bool) -> None:
    assert ("groupIdToken" in id_token_info(Authorization("accepted", "drv_1", parent=group))) is told
