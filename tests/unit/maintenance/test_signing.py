"""From a charger's signing request to its certificate: each is signed once, and nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509

from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import jobs, service
from chalicelib.maintenance.model.certificates import (
    CERTIFICATE_LIFECYCLE,
    MAX_DELIVERIES,
    MAX_REQUESTS,
)
from tests.contract.pki.papers import signing_request
from tests.unit.maintenance.asking import CSR, ask, delivered, fresh_csr, install, journal, requests, state
from tests.unit.maintenance.conftest import Told
from tests.world import SECRETS, WorldContext

RETRY_S = 61


# -- the way through ----------------------------------------------------------------------------------------------


def test_asked_signed_delivered_installed(told: Told) -> None:
    chain = install(told)
    leaf = x509.load_pem_x509_certificate(chain.encode())
    [request] = requests(told)
    assert request["state"] == "installed"
    assert request["chain_pem"] == chain
    assert request["serial_number"] == f"{leaf.serial_number:x}"
    assert journal(told) == ["Certificate installed"]


def test_the_charger_may_say_no(told: Told) -> None:
    install(told, status="Rejected")
    [request] = requests(told)
    assert (request["state"], request["reason"]) == ("rejected", "Rejected")
    assert journal(told) == ["Certificate rejected: Rejected"]


def test_or_nothing(told: Told) -> None:
    ask(told)
    delivered(told)
    told.world.advance(60)
    from chalicelib.ocpp import outbound

    outbound.time_out_overdue(told.world.ctx, told.charger.charger_id)
    assert state(told) == "failed"


def test_before_it_is_signed_nothing_has_been_issued(told: Told) -> None:
    """The answer means stored, not signed: signing stands between two commits."""
    assert ask(told) == "Accepted"
    [request] = requests(told)
    assert (request["state"], request["chain_pem"], request["serial_number"]) == ("requested", None, None)


# -- told again ---------------------------------------------------------------------------------------------------


def test_the_same_request_at_once_is_one(told: Told) -> None:
    assert ask(told) == "Accepted"
    before = told.rows()
    assert ask(told) == "Accepted"
    assert ask(told, CSR.replace("\n", "\r\n")) == "Accepted"
    assert told.rows() == before
    assert len(delivered(told)) == 1
    assert ask(told) == "Accepted"
    assert delivered(told) == []


def test_the_event_delivered_twice_signs_and_sends_once(told: Told) -> None:
    ask(told)
    [event] = [event for event in told.world.pending_events() if event.type == "certificate.requested"]
    for _ in range(3):
        jobs.on_certificate_requested(told.world.ctx, event)
    [command] = delivered(told)
    told.wire.reply(command, {"status": "Accepted"})
    assert delivered(told) == [], "nor is a second one waiting behind it"
    assert len([row for row in told.rows() if row["pk"]["S"].startswith("serial#")]) == 1


def test_a_crash_between_signing_and_sending(told: Told) -> None:
    """The certificate is there, the command is not: the event comes again and sends what was signed."""
    ask(told)
    [request] = requests(told)
    signed = service.configured_authority(told.world.ctx).sign(CSR, "charger", "CP-001")
    told.world.commit(lambda uow: service.record_issued(uow, "CP-001", request["certificate_id"], signed))
    [command] = delivered(told)
    assert command[3]["certificateChain"] == signed.chain_pem


def test_two_signers_at_once_issue_one(told: Told) -> None:
    ask(told)
    [request] = requests(told)
    authority = service.configured_authority(told.world.ctx)
    for _ in range(2):
        signed = authority.sign(CSR, "charger", "CP-001")
        told.world.commit(
            lambda uow, signed=signed: service.record_issued(uow, "CP-001", request["certificate_id"], signed)
        )
    assert len([row for row in told.rows() if row["pk"]["S"].startswith("serial#")]) == 1


def test_an_answer_that_was_lost_is_made_good_by_asking_again(told: Told) -> None:
    """The charger took it and forgot, or never got it: the same certificate, not a new one."""
    chain = install(told)
    assert ask(told) == "Accepted"
    assert delivered(told) == [], "a frame repeated at once is no new wish"
    told.world.advance(RETRY_S)
    assert ask(told) == "Accepted"
    [again] = delivered(told)
    assert again[3]["certificateChain"] == chain
    told.wire.reply(again, {"status": "Accepted"})
    assert state(told) == "installed"
    assert len([row for row in told.rows() if row["pk"]["S"].startswith("serial#")]) == 1


def test_but_not_for_ever(told: Told) -> None:
    install(told, status="Rejected")
    answers = []
    for _ in range(MAX_DELIVERIES + 2):
        told.world.advance(RETRY_S)
        answers.append(ask(told))
        for command in delivered(told):
            told.wire.reply(command, {"status": "Rejected"})
    assert answers == ["Accepted"] * (MAX_DELIVERIES - 1) + ["Rejected"] * 3


def test_a_late_answer_to_an_older_delivery_changes_nothing(told: Told) -> None:
    install(told)
    [request] = requests(told)
    told.world.advance(RETRY_S)
    ask(told)
    delivered(told)
    before = told.rows()
    told.world.commit(
        lambda uow: service.record_certificate_answer(
            uow, "CP-001", request["certificate_id"], request["command_id"], accepted=False, detail="Rejected"
        )
    )
    assert told.rows() == before


# -- renewal, revocation ------------------------------------------------------------------------------------------


def test_a_renewal_takes_the_place_of_the_older_one(told: Told) -> None:
    install(told)
    told.world.advance(300 * 86400)
    told.wire.connect()
    install(told, fresh_csr())
    assert sorted(request["state"] for request in requests(told)) == ["installed", "superseded"]


def test_one_that_is_over_is_not_delivered_again(told: Told) -> None:
    install(told)
    told.world.advance(366 * 86400)
    told.wire.connect()
    assert ask(told) == "Rejected"
    assert delivered(told) == []


def revoke(told: Told, certificate_id: str) -> tuple[int, Any]:
    status, body = told.world.rest.post(
        f"/v1/chargers/CP-001/certificate-requests/{certificate_id}/revoke", token=told.token
    )
    return status, body


def test_a_revoked_one_stays_revoked(told: Told) -> None:
    install(told)
    [request] = requests(told)
    for _ in range(2):
        status, body = revoke(told, request["certificate_id"])
        assert (status, body["state"]) == (200, "revoked")
        told.world.advance(RETRY_S)
    assert ask(told) == "Rejected"
    assert journal(told).count("Certificate revoked") == 1


def test_what_was_never_issued_cannot_be_revoked(told: Told) -> None:
    ask(told)
    [request] = requests(told)
    assert revoke(told, request["certificate_id"])[0] == 409
    assert revoke(told, "unknown")[0] == 404


# -- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "csr_pem", ["hello", signing_request("CP-002"), signing_request(None)], ids=["no-csr", "another", "nobody"]
)
def test_a_request_that_may_not_be_made(told: Told, csr_pem: str) -> None:
    assert ask(told, csr_pem) == "Rejected"
    [request] = requests(told)
    assert request["state"] == "refused"
    assert journal(told) == [f"Signing request refused: {request['reason']}"]
    before = told.rows()
    for pause in (0, RETRY_S):
        told.world.advance(pause)
        assert ask(told, csr_pem) == "Rejected"
    assert told.rows() == before
    assert delivered(told) == []


def without_authority(told: Told, secret: str = "") -> WorldContext:
    return WorldContext(told.world.ctx.settings, told.world.clock, {**SECRETS, "certificate-authority": secret})


def sign_in(told: Told, ctx: WorldContext) -> bool:
    uow = UnitOfWork(ctx)
    accepted = service.request_signature(uow, told.charger, csr_pem=CSR, kind="charger", request_id=None)
    uow.commit()
    return accepted


@pytest.mark.parametrize("secret", ["", "not a key"])
def test_without_an_authority_the_journal_says_why(told: Told, secret: str) -> None:
    assert not sign_in(told, without_authority(told, secret))
    [summary] = journal(told)
    assert "certificate authority" in summary
    told.world.advance(RETRY_S)
    assert not sign_in(told, without_authority(told, secret))
    assert len(journal(told)) == 1


def test_a_deployment_that_never_had_one(told: Told) -> None:
    """The parameter store has no such secret."""
    secrets = {name: value for name, value in SECRETS.items() if name != "certificate-authority"}
    ctx = WorldContext(told.world.ctx.settings, told.world.clock, secrets)
    assert not sign_in(told, ctx)
    assert journal(told) == ["Signing request refused: No certificate authority is configured."]


def test_once_there_is_one_the_same_request_is_signed(told: Told) -> None:
    assert not sign_in(told, without_authority(told))
    told.world.advance(RETRY_S)
    install(told)
    assert state(told) == "installed"


def test_an_authority_that_goes_away_before_it_signs(told: Told) -> None:
    ask(told)
    [event] = [event for event in told.world.pending_events() if event.type == "certificate.requested"]
    jobs.on_certificate_requested(without_authority(told), event)
    assert state(told) == "refused"
    assert delivered(told) == []


def test_an_event_of_nothing(told: Told) -> None:
    event = Event("evt_1", "certificate.requested", "unknown", {"charger_id": "CP-001"}, told.world.ctx.now())
    before = told.rows()
    jobs.on_certificate_requested(told.world.ctx, event)
    assert told.rows() == before


def test_a_charger_that_asks_without_end(told: Told) -> None:
    for number in range(MAX_REQUESTS + 3):
        told.tell(service.request_signature, csr_pem=f"nonsense {number}", kind="charger", request_id=None)
    assert told.tell(service.request_signature, csr_pem=CSR, kind="charger", request_id=None) is False
    rows = [row for row in told.rows() if row["sk"]["S"].startswith("certificate_request#")]
    assert len(rows) == MAX_REQUESTS
    assert len([row for row in told.rows() if "more than" in row.get("summary", {}).get("S", "")]) == 1


def test_a_refused_request_is_forgotten_in_time(told: Told) -> None:
    ask(told, "hello")
    [row] = [row for row in told.rows() if row["sk"]["S"].startswith("certificate_request#")]
    assert 29 * 86400 < int(row["expires_at"]["N"]) - told.world.ctx.now().timestamp() < 31 * 86400


# -- the table of states ------------------------------------------------------------------------------------------

FINAL = {"superseded": {"revoke"}, "revoked": set()}


@pytest.mark.parametrize("state", sorted(CERTIFICATE_LIFECYCLE.states))
def test_every_state_takes_what_it_may(state: str) -> None:
    expected = {
        "requested": {"issue", "refuse"},
        "refused": {"ask_again"},
        "issued": {"accept", "reject", "fail", "revoke"},
        "installed": {"ask_again", "supersede", "revoke"},
        "rejected": {"ask_again", "revoke"},
        "failed": {"ask_again", "revoke"},
        **FINAL,
    }
    assert {event for event in CERTIFICATE_LIFECYCLE.events if CERTIFICATE_LIFECYCLE.allows(state, event)} == expected[
        state
    ]
