"""A charger's variables: what is kept of what it tells, and what that costs."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import ConfigurationPart, Variable, is_secret
from chalicelib.chargers.model.configuration import (
    MAX_PART_BYTES,
    MAX_VALUE_LENGTH,
    by_part,
    index_of,
    part_of,
    same_value,
    told,
)
from chalicelib.chargers.store.configuration import PART_PREFIX, PARTS, PartRow
from chalicelib.chargers.store.places import charger_pk
from tests.unit.chargers.conftest import Site
from tests.world import START

LATER = START + timedelta(hours=1)


def record(site: Site, *variables: Variable) -> list[str]:
    """The sort keys of what was written."""
    uow_writes: list[str] = []

    def decide(uow: object) -> None:
        chargers.record_configuration(uow, site.charger, variables)  # type: ignore[arg-type]
        uow_writes.extend(write.request["Item"]["sk"]["S"] for write in uow.writes)  # type: ignore[attr-defined]

    site.world.commit(decide)
    return uow_writes


def known(site: Site) -> dict[str, Variable]:
    parts = PARTS.query_all(site.world.ctx, charger_pk("CP-1"), PartRow.sk.startswith(PART_PREFIX), consistent=True)
    return index_of(parts)


def test_a_list_of_keys_is_one_write_and_telling_it_again_is_none(site: Site) -> None:
    keys = [Variable(f"Key{number}", str(number), False) for number in range(60)]
    assert record(site, *keys) == ["configuration#keys"]
    site.world.advance(60)
    assert record(site, *keys) == []
    assert known(site)["key7"] == Variable("Key7", "7", False, START)


def test_a_change_is_written_and_dated(site: Site) -> None:
    record(site, Variable("A", "1"), Variable("B", "1"))
    site.world.advance(3600)
    assert record(site, Variable("a", "2"), Variable("B", "1")) == ["configuration#keys"]
    assert known(site)["a"] == Variable("A", "2", None, LATER)
    assert known(site)["b"].reported_at == START


def test_a_value_told_alone_keeps_the_facts_that_were_told_before() -> None:
    full = Variable("X/Y", "1", True, None, "ReadOnly", "integer", "s", "1,2")
    part = told(told(ConfigurationPart("CP", "00"), [full], START), [Variable("x/y", "2")], LATER)
    assert part.variables == [Variable("X/Y", "2", True, LATER, "ReadOnly", "integer", "s", "1,2")]
    assert part.revision == 2


def test_readonly_follows_from_mutability() -> None:
    part = told(ConfigurationPart("CP", "00"), [Variable("X/Y", "1", mutability="ReadOnly")], START)
    assert part.variables[0].readonly is True


@pytest.mark.parametrize(
    "name",
    [
        "AuthorizationKey",
        "authorizationkey",
        "SecurityCtrlr/BasicAuthPassword",
        "SecurityCtrlr.a@1/BasicAuthPassword.b",
        "WifiPassword",
        "NetworkConfiguration.1/ApnPassword",
        "NetworkConfiguration.1/VpnKey",
        "SharedSecret",
    ],
)
def test_secrets_are_known_by_name_and_have_no_value(site: Site, name: str) -> None:
    assert is_secret(name)
    record(site, Variable(name, "hunter2-hunter2-hunter2", False))
    [variable] = known(site).values()
    assert (variable.name, variable.value) == (name, None)


@pytest.mark.parametrize("name", ["AuthorizeRemoteTxRequests", "AuthCtrlr/Enabled", "PasswordCtrlr/Enabled"])
def test_what_only_sounds_like_a_secret_is_none(name: str) -> None:
    assert not is_secret(name)


def test_a_component_stays_together_whatever_its_instance_and_evse() -> None:
    names = ["EVSE/Power", "EVSE@1/Power", "evse@2/Available", "EVSE.left@2.1/X", "EVSE@3/Y.z"]
    assert len({part_of(name) for name in names}) == 1
    assert part_of("HeartbeatInterval") == "keys"


def test_parts_are_few_whatever_a_charger_invents() -> None:
    variables = [Variable(f"Component{number}/V", "1") for number in range(5000)]
    assert len(by_part(variables)) == 64


def test_a_whole_inventory_reads_back_and_each_row_stays_small(site: Site) -> None:
    """4000 variables of 80 components, in parts of 50 as NotifyReport brings them."""
    variables = [
        Variable(f"Component{number // 50}@1/Variable{number % 50}", "x" * 20, False, None, "ReadWrite", "string")
        for number in range(4000)
    ]
    writes = sum(len(record(site, *variables[start : start + 50])) for start in range(0, 4000, 50))
    assert writes == 80
    assert len(known(site)) == 4000
    items = site.world.engine.execute("Scan", {"TableName": PARTS.name})["Items"]
    assert max(len(item["variables"]["S"]) for item in items if "variables" in item) < MAX_PART_BYTES


def test_a_charger_that_tells_without_end_fills_its_rows_and_no_more() -> None:
    part = ConfigurationPart("CP", "keys")
    for number in range(500):
        part = told(part, [Variable(f"Key{number}", "\x01" * MAX_VALUE_LENGTH)], START)
    assert len(msgspec.json.encode(part.variables)) <= MAX_PART_BYTES + 100
    assert 0 < len(part.variables) < 500
    assert told(part, [Variable("Key0", "short")], START).variables[0].value == "short", "what is known still changes"


def test_values_are_cut_and_blank_names_passed_over(site: Site) -> None:
    record(site, Variable("  ", "1"), Variable("K", "x" * 5000))
    assert [len(variable.value or "") for variable in known(site).values()] == [MAX_VALUE_LENGTH]


def test_two_who_record_at_once_lose_nothing(site: Site) -> None:
    record(site, Variable("A", "1"))
    first_time = iter([True])

    def decide(uow: object) -> None:
        chargers.record_configuration(uow, site.charger, [Variable("B", "1")])  # type: ignore[arg-type]
        if next(first_time, False):
            record(site, Variable("C", "1"))

    site.world.commit(decide)
    assert {*known(site)} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("wanted", "actual", "same"),
    [
        ("540", "540", True),
        ("540", " 0540.0 ", True),
        ("540", "54", False),
        ("0", "-0", True),
        ("-1", "1", False),
        ("1.5", "1.50", False),
        ("true", "TRUE", True),
        ("true", "1", False),
        ("a,b", "B , A", True),
        ("a,b", "a", False),
        ("a", "a,", False),
        ("", None, True),
        ("", "x", False),
    ],
)
def test_same_value(wanted: str, actual: str | None, same: bool) -> None:
    assert same_value(wanted, actual) is same
