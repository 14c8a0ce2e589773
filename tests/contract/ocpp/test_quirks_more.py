"""More chargers of the field, beyond the catalogue of quirks: each test is one charger's story, told by its frames."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.ocpp.field import MONEY, Field, field

__all__ = ["field"]


def start(message_id: str = "s", *, meter: Any = 1000, evse: int = 1, tag: str = '"TAG001"', more: str = "") -> str:
    return (
        f'[2,"{message_id}","StartTransaction",{{"connectorId":{evse},"idTag":{tag},"meterStart":{meter},'
        f'"timestamp":"2026-03-02T07:00:00Z"{more}}}]'
    )


def meter(energy: str = "3000", *, transaction: str = "${TX}", evse: int = 1, more: str = "") -> str:
    return (
        f'[2,"m","MeterValues",{{"connectorId":{evse},"transactionId":{transaction},"meterValue":[{{'
        f'"timestamp":"2026-03-02T07:10:00Z","sampledValue":[{{"value":"{energy}"{more}}}]}}]}}]'
    )


def stop(message_id: str = "e", *, meter: Any = 5000, transaction: str = "${TX}", more: str = "") -> str:
    return (
        f'[2,"{message_id}","StopTransaction",{{"transactionId":{transaction},"meterStop":{meter},'
        f'"timestamp":"2026-03-02T07:20:00Z"{more}}}]'
    )


def test_alfen_loses_the_transaction_in_an_overflow(field: Field) -> None:
    field.result(start())
    lost = "9223372036854775807"
    assert field.result(meter(transaction=lost)) == {}
    assert [r.energy_wh for r in field.readings(field.session())] == [3000]
    field.result(stop(transaction=lost))
    assert (field.session().state, field.session().energy_wh) == ("settled", 4000)


def test_aefa_leaves_the_transaction_empty(field: Field) -> None:
    field.result(start())
    field.send(meter(transaction=""))
    assert [r.energy_wh for r in field.readings(field.session())] == [3000]


def test_huawei_object_for_array(field: Field) -> None:
    field.result(start())
    field.result(
        '[2,"m","MeterValues",{"connectorId":1,"transactionId":${TX},"meterValue":{"timestamp":"2026-03-02T07:10:00Z",'
        '"sampledValue":[{"value":"3.00","context":"Transaction.Begin","measurand":"Energy.Active.Import.Register","unit":"kWh"}]}}]'
    )
    assert [r.energy_wh for r in field.readings(field.session())] == [3000]


def test_huawei_one_wh_less(field: Field) -> None:
    field.result(start(meter=269456))
    field.result(stop(meter=269455))
    print(field.session())
    assert (field.session().energy_wh, field.cents()) == (0, MONEY)


def test_stop_zero_after_readings(field: Field) -> None:
    field.result(start(meter=1000))
    field.result(meter("9000"))
    field.result(stop(meter=0))
    print(field.session())
    assert field.session().energy_wh == 8000


def test_schneider_long_serial(field: Field) -> None:
    a = field.result(
        '[2,"b","BootNotification",{"chargeBoxSerialNumber":"EVB1A22P2RI3N182341200100350795E5","chargePointModel":"EVlink Smart Wallbox","chargePointSerialNumber":null,"chargePointVendor":"Schneider Electric","firmwareVersion":"3.4.0.2","iccid":"","imsi":"", "meterType":"", "meterSerialNumber":""}]'
    )
    assert a["status"] == "Accepted"


def test_zaptec_ocmf(field: Field) -> None:
    field.result(start())
    ocmf = (
        'OCMF|{\\"FV\\":\\"1.0\\",\\"RD\\":[{\\"TM\\":\\"x\\"}]}|{\\"SA\\":\\"ECDSA\\",\\"SD\\":\\"'
        + "ab" * 3000
        + '\\"}'
    )
    more = (
        ',"transactionData":[{"timestamp":"2026-03-02T07:20:00Z","sampledValue":[{"value":"%s","format":"SignedData","context":"Transaction.End","measurand":"Energy.Active.Import.Register"}]}]'
        % ocmf
    )
    field.result(stop(more=more))
    assert field.session().energy_wh == 4000


def test_ocmf_without_format(field: Field) -> None:
    field.result(start())
    field.result(meter('OCMF|{\\"a\\":1}|{}', more=',"format":""'))
    field.result(stop())
    assert field.session().energy_wh == 4000


def test_abb_empty_words(field: Field) -> None:
    field.result(start())
    field.result(meter("3000", more=',"context":"","format":"Raw","measurand":"","phase":"","location":"","unit":""'))
    assert [r.energy_wh for r in field.readings(field.session())] == [3000]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T07:51:00+0000",
        "2026-03-02T07:51:00+00:00Z",
        "2026-03-02T07:51:00,000Z",
        "2026-03-02T08:51:00.0+01:00",
        "2026-3-2T7:51:0Z",
        "2026-03-02T07:51:00.Z",
        "2026-03-02T07:51:00 +0000",
        "02.03.2026 07:51:00",
        "Mon Mar  2 07:51:00 2026",
        "2026-03-02T07:51:00.000ZZ",
        "20260302T075100Z",
        "1772437860000",
        "2026/03/02 07:51:00",
        "Mon, 02 Mar 2026 07:51:00 GMT",
    ],
)
def test_times(field: Field, text: str) -> None:
    field.result(
        '[2,"st","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"%s"}]'
        % text
    )
    assert field.evse(1).reported_at == datetime(2026, 3, 2, 7, 51, tzinfo=UTC)


@pytest.mark.parametrize(
    "tag",
    [
        '"TAG001 "',
        '" TAG001"',
        '"TAG001\\u0000"',
        '"tag001"',
        '"TAG001\\u0000\\u0000xx"',
        '"TAG001\\r\\n"',
        '"TA:G0:01"',
        '"TA G0 01"',
        '"TA-G0-01"',
    ],
)
def test_tags(field: Field, tag: str) -> None:
    assert field.result('[2,"a","Authorize",{"idTag":%s}]' % tag)["idTagInfo"]["status"] == "Accepted"
    assert field.result(start(tag=tag))["idTagInfo"]["status"] == "Accepted"


@pytest.mark.parametrize("tag", ['""', "null", "[]", "0"])
def test_no_tag(field: Field, tag: str) -> None:
    assert field.result(start(tag=tag))["idTagInfo"]["status"] == "Invalid"
    field.result(stop())
    print(field.session())


def test_numeric_tag(world: Any, field: Field) -> None:
    assert field.result(start(tag="12345678"))["idTagInfo"]["status"] == "Invalid"


@pytest.mark.parametrize(
    "reason", ['""', '"EVDisconnected "', '"EmergencyStop "', '"ev_disconnected"', "null", '"PowerLoss\\u0000"', "7"]
)
def test_reasons(field: Field, reason: str) -> None:
    field.result(start())
    field.result(stop(more=f',"reason":{reason}'))
    print(field.session().stop_reason)
    assert field.session().energy_wh == 4000


def test_string_transaction_id(field: Field) -> None:
    field.result(start())
    field.send(meter(transaction='"${TX}"'))
    field.send(stop(transaction='"${TX}"'))
    assert field.session().energy_wh == 4000


def test_float_transaction_id(field: Field) -> None:
    field.result(start())
    field.send(stop(transaction="${TX}.0"))
    assert field.session().energy_wh == 4000


def test_data_transfer_object(field: Field) -> None:
    assert field.result('[2,"d","DataTransfer",{"vendorId":"ABB","messageId":"x","data":{"a":1}}]')["status"]


def test_firmware_words(field: Field) -> None:
    assert field.result('[2,"d","FirmwareStatusNotification",{"status":"installed"}]') == {}
    print(field.send('[2,"d","FirmwareStatusNotification",{"status":"InstallRebooting"}]'))
    print(field.send('[2,"d","DiagnosticsStatusNotification",{"status":"UploadFailure"}]'))


def test_soc(field: Field) -> None:
    field.result(start())
    for soc in ("85.5", "85 %", "255", "-1", "NaN", "0.85"):
        print(
            field.send(meter(soc, more=',"measurand":"SoC","unit":"Percent"')),
            [r.soc_percent for r in field.readings(field.session())],
        )


def test_interval_only(field: Field) -> None:
    field.result(start())
    field.result(meter("100", more=',"measurand":"Energy.Active.Import.Interval","unit":"Wh"'))
    assert [r.energy_wh for r in field.readings(field.session())] == [None]
    field.result(stop())
    assert field.session().energy_wh == 4000


def test_two_stops_reset_between(field: Field) -> None:
    field.result(start())
    field.result('[2,"b","BootNotification",{"chargePointVendor":"Q","chargePointModel":"Q"}]')
    field.result('[2,"s1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]')
    field.result(stop(more=',"reason":"PowerLoss"'))
    assert field.session().energy_wh == 4000


def test_status_before(field: Field) -> None:
    # Finishing and Available come before the stop
    field.result(start())
    field.result('[2,"s1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]')
    field.result(start("s2", meter=5000).replace("07:00", "07:30"))
    first = field.sessions()[0]
    print(first)
    field.result(stop(meter=6000).replace("07:20", "07:50"))
    print(field.sessions())


def test_empty_frame_elements(field: Field) -> None:
    print(field.send('[2,"x","Heartbeat"]'), field.send('[2,"x","Heartbeat",""]'), field.send('[2,"x","Heartbeat",[]]'))


def test_payload_as_text(field: Field) -> None:
    print(
        field.send(
            '[2,"x","StatusNotification","{\\"connectorId\\":1,\\"errorCode\\":\\"NoError\\",\\"status\\":\\"Available\\"}"]'
        )
    )


def test_hex_float(field: Field) -> None:
    field.result(start(meter="1.0e3"))
    print(field.send(stop(meter="+5000")))
    print(field.session())


def test_leading_zero(field: Field) -> None:
    print(field.send(start(meter="01000")))
    print(field.send(stop(meter=".5e4")))
    print(field.sessions())
