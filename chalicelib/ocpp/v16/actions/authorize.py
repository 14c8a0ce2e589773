"""Authorize: may this id token charge here? (OCPP 1.6 4.1) Writes nothing."""

from __future__ import annotations

from chalicelib.charging import service as charging
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.id_tokens import read_id_token
from chalicelib.ocpp.v16.id_tag_info import id_tag_info
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    authorization = charging.authorize_id_token(
        uow.ctx, charger=call.charger, id_token=read_id_token(call.payload["idTag"])
    )
    return {"idTagInfo": id_tag_info(authorization)}
