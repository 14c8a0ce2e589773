"""Dynamic QR codes (OCPP 2.1 C25): a charger is told how to make them, and what it shows is resolved.

Everybody who stands before the display may pay there, so the code names the place and proves nothing else: who charges
and who pays is decided by the request that follows.
"""

from __future__ import annotations

from chalicelib.chargers.model import Charger, Command, charger_key, web_payments
from chalicelib.chargers.service.commanding import queue_command
from chalicelib.chargers.service.finding import get_charger
from chalicelib.chargers.service.registering import PASSWORD_KEY
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, invalid
from chalicelib.kernel.unit_of_work import UnitOfWork


def enable_web_payments(uow: UnitOfWork, charger: Charger, requested_by: str) -> Command:
    """Tells the charger to show codes, and the secret to make them with. Raises command.queue_full."""
    settings = web_payments.settings(_secret(uow.ctx, charger.charger_id), uow.ctx.settings.public_url)
    return queue_command(
        uow,
        charger_id=charger.charger_id,
        action="set_web_payments",
        payload={"settings": settings},
        requested_by=requested_by,
    )


def start_web_payment(
    uow: UnitOfWork, *, identity: str, evse_no: int, password: str, version: str, driver_id: str
) -> Charger:
    """The charger whose code was scanned; it is told to keep the EVSE for whoever scanned it (C25.FR.21).

    Raises web_payment.invalid for a code that is too old, forged, or of no charger that could be charged at: which of
    these it is, nobody is told.
    """
    charger = get_charger(uow.ctx, identity)
    secret = _secret(uow.ctx, identity)
    right = version == web_payments.VERSION and web_payments.is_password(password, secret, uow.ctx.now())
    if charger is None or not right or not charger.is_placed or not 0 < evse_no <= charger.evse_count:
        raise invalid("web_payment.invalid", "This code is not good any more. Scan the one on the display again.")
    _tell(uow, charger, evse_no, driver_id)
    return charger


def _tell(uow: UnitOfWork, charger: Charger, evse_no: int, driver_id: str) -> None:
    """A charger that is too busy to hear it keeps nothing, which is no reason to send the driver away."""
    try:
        queue_command(
            uow,
            charger_id=charger.charger_id,
            action="web_payment_started",
            payload={"evse_no": evse_no, "timeout_s": web_payments.STARTED_TIMEOUT_S},
            requested_by=driver_id,
        )
    except DomainError as error:
        if error.kind is not Kind.CONFLICT:
            raise


def _secret(ctx: Context, identity: str) -> str:
    return web_payments.shared_secret(charger_key(identity), ctx.secret(PASSWORD_KEY).encode())
