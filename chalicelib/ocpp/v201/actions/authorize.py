"""Authorize: may this id token charge here? (OCPP 2.0.1 C01, with a contract certificate C07) Writes nothing."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.charging import service as charging
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.id_tokens import read_id_token
from chalicelib.ocpp.v201.id_token_info import id_token_info
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    id_token, certificate = call.payload["idToken"], call.payload.get("certificate")
    hash_data = call.payload.get("iso15118CertificateHashData")
    authorization = charging.authorize_id_token(
        uow.ctx, charger=call.charger, id_token=read_id_token(id_token["idToken"]), id_token_kind=id_token["type"]
    )
    if certificate is None and hash_data is None:
        return {"idTokenInfo": id_token_info(authorization)}
    verdict = maintenance.verify_contract(uow.ctx, hash_data=hash_data, pem=certificate)
    if verdict != "Accepted":
        authorization = replace(authorization, status="invalid")
    return {"idTokenInfo": id_token_info(authorization), "certificateStatus": verdict}
