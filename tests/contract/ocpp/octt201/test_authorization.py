"""Block C: who may charge."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.maintenance.model.certificates import IssuedCertificate
from chalicelib.maintenance.store import ISSUED
from tests.contract.ocpp.octt201.papers import contract, ocsp_request, root_pem
from tests.contract.ocpp.octt201.station import CARD, Station, id_token

GROUP = "FLEET-1"
CARD_A = "04C1C1C1"
MATE = "04D5E6F7"
MASTER = "04FFFFFF"
STRANGER = "DEADBEEF"


def in_group(station: Station, *cards: str) -> None:
    for card in cards:
        station.grouped_card(card, GROUP)


def group_of(info: Any) -> Any:
    assert info["status"] == "Accepted"
    return info["groupIdToken"]["idToken"]


def test_tc_c_02_an_unknown_card(station: Station) -> None:
    """Authorize of a card that nobody has."""
    assert station.authorize(STRANGER)["status"] in ("Invalid", "Unknown")


def test_tc_c_06_a_blocked_card(station: Station) -> None:
    """Authorize of a card that its operator has blocked."""
    card = station.card("04AAAAAA")
    station.block(card)
    assert station.authorize(card)["status"] in ("Blocked", "Invalid")


def test_tc_c_07_an_expired_card(station: Station) -> None:
    """Authorize of a card past its date."""
    card = station.card("04BBBBBB", expires_at=station.world.ctx.now() - timedelta(days=1))
    assert station.authorize(card)["status"] in ("Expired", "Invalid")


def test_tc_c_08_a_card_from_the_stations_cache(station: Station) -> None:
    """The station did not ask: the event that carries the card is answered Accepted, and sold."""
    transaction = station.transaction()
    transaction.started("CablePluggedIn", "EVConnected")
    assert transaction.updated("Authorized", token=CARD)["idTokenInfo"]["status"] == "Accepted"
    transaction.energised()
    transaction.finished()
    assert station.sold()


def test_tc_c_20_a_card_that_the_cache_should_have_forgotten(station: Station) -> None:
    """The station started by its cache with a card that we do not know: the event is answered so."""
    transaction = station.transaction()
    answer = transaction.started("Authorized", "EVConnected", token=STRANGER)
    assert answer["idTokenInfo"]["status"] in ("Invalid", "Unknown")
    transaction.ended("Deauthorized", "DeAuthorized", wh=0)
    assert station.cents() == 1000


def test_tc_c_37_the_cache_is_cleared(station: Station) -> None:
    """ClearCache, accepted."""
    assert station.ask("ClearCache").reply("Accepted") == "accepted"


def test_tc_c_38_the_cache_is_not_cleared(station: Station) -> None:
    """ClearCache, rejected."""
    assert station.ask("ClearCache").reply("Rejected") == "rejected"


def started_and_stopped_in_group(station: Station, asks: bool) -> None:
    in_group(station, CARD_A, MATE)
    transaction = station.transaction()
    transaction.started("CablePluggedIn", "EVConnected")
    assert group_of(transaction.updated("Authorized", token=CARD_A)["idTokenInfo"]) == GROUP
    transaction.energised()
    if asks:
        assert group_of(station.authorize(MATE)) == GROUP
    assert group_of(transaction.updated("StopAuthorized", token=MATE)["idTokenInfo"]) == GROUP
    transaction.ended("EVCommunicationLost", "Local")


def test_tc_c_39_a_group(station: Station) -> None:
    """One of a group starts, another one stops; both are answered with their group."""
    in_group(station, CARD_A, MATE)
    assert group_of(station.authorize(CARD_A)) == GROUP
    transaction = station.transaction()
    assert group_of(transaction.started("Authorized", "EVConnected", token=CARD_A)["idTokenInfo"]) == GROUP
    transaction.energised()
    assert group_of(station.authorize(MATE)) == GROUP
    transaction.ended("StopAuthorized", "Local", token=MATE)
    assert [session.state for session in station.sessions()] == ["settled"]


def test_tc_c_40_a_group_of_the_local_list(station: Station) -> None:
    """As TC_C_39, but the station knows the group from its local list and does not ask."""
    started_and_stopped_in_group(station, asks=False)


def test_tc_c_43_a_blocked_member_of_the_local_list(station: Station) -> None:
    """One of the group charges. Another one, whose card is refused by the station's list, is refused by us too."""
    in_group(station, CARD_A, MATE)
    transaction = station.transaction()
    transaction.started("CablePluggedIn", "EVConnected")
    assert group_of(transaction.updated("Authorized", token=CARD_A)["idTokenInfo"]) == GROUP
    transaction.energised()
    station.block(MATE)
    assert station.authorize(MATE)["status"] != "Accepted"


def two_charge_and_a_master_comes(station: Station) -> list[Any]:
    in_group(station, MASTER)
    second = station.card("04CCCCCC")
    transactions = [station.transaction().charging(), station.transaction(evse_no=2).charging(second)]
    assert group_of(station.authorize(MASTER)) == GROUP
    return transactions


def test_tc_c_47_a_master_pass_stops_all(station: Station) -> None:
    """A card of the master group ends both transactions; each is sold to whoever began it."""
    for transaction in two_charge_and_a_master_comes(station):
        answer = transaction.ended("StopAuthorized", "MasterPass", "EVConnected", token=MASTER)
        assert group_of(answer["idTokenInfo"]) == GROUP
    assert station.sold()
    assert [session.state for session in station.sessions()] == ["settled", "settled"]


def test_tc_c_48_a_master_pass_stops_one(station: Station) -> None:
    """The master chooses one of two on the screen: that one ends, the other goes on."""
    chosen, other = two_charge_and_a_master_comes(station)
    answer = chosen.ended("StopAuthorized", "MasterPass", "EVConnected", token=MASTER)
    assert group_of(answer["idTokenInfo"]) == GROUP
    assert station.sold()
    assert other.updated("MeterValuePeriodic", "Charging", wh=1100) is not None
    assert sorted(session.state == "settled" for session in station.sessions()) == [False, True]


def test_tc_c_49_a_master_pass_without_a_screen(station: Station) -> None:
    """As TC_C_47: without a screen to choose on, all are ended."""
    for transaction in two_charge_and_a_master_comes(station):
        transaction.ended("StopAuthorized", "MasterPass", "EVConnected", token=MASTER)
    assert station.sold()


EMAID = "DEWFACB1234567"
NOBODYS = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "00" * 32,
    "issuerKeyHash": "11" * 32,
    "serialNumber": "0abc",
    "responderURL": "https://ocsp.example",
}


def by_contract(station: Station, **proof: Any) -> Any:
    return station.call("Authorize", {"idToken": id_token(EMAID, "eMAID"), **proof})


def charges_by_contract(station: Station) -> None:
    transaction = station.transaction()
    answer = transaction.started("Authorized", "EVConnected", idToken=id_token(EMAID, "eMAID"))
    assert answer["idTokenInfo"]["status"] == "Accepted"
    transaction.energised()
    transaction.ended("EVCommunicationLost", "EVDisconnected")
    assert [session.state for session in station.sessions()] == ["settled"]


def test_tc_c_50_a_contract_by_its_hashes(station: Station) -> None:
    """The station has checked a car's contract certificate and sends its hashes. The authority's books have it, and it
    is good: the car charges. (They are filled by hand here: there is no mobility operator behind the platform.)"""
    station.card(EMAID)
    request = ocsp_request(contract(station, EMAID), root_pem(station, "v2g"))
    now = station.world.ctx.now()
    issued = IssuedCertificate(
        serial_number=request["serialNumber"],
        charger_id="",
        operator_id=station.operator.operator_id,
        certificate_id="",
        kind="contract",
        issued_at=now,
        valid_until=now + timedelta(days=30),
    )
    station.world.commit(lambda uow: uow.put(ISSUED, issued))
    answer = by_contract(station, iso15118CertificateHashData=[request])
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Accepted", "Accepted")
    charges_by_contract(station)


def test_tc_c_51_a_contract_of_nobody(station: Station) -> None:
    """The hashes of a contract certificate that no authority of ours has issued: not accepted, and said why."""
    answer = by_contract(station, iso15118CertificateHashData=[NOBODYS])
    assert answer["idTokenInfo"]["status"] != "Accepted"
    assert answer["certificateStatus"] != "Accepted"


def test_tc_c_52_a_contract_by_its_certificate(station: Station) -> None:
    """The station cannot check the certificate and sends it whole: it leads to our root, and the car charges."""
    station.card(EMAID)
    answer = by_contract(station, certificate=contract(station, EMAID))
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Accepted", "Accepted")
    charges_by_contract(station)
