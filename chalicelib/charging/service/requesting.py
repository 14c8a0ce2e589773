"""A driver asks for a charge from the phone: hold, session, command to the charger, in one commit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, charger_key
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DELIVERING_STATES,
    LONGEST_DELIVERY,
    START_TIMEOUT,
    ChargingSession,
    Limits,
    Occupancy,
    usual_hold,
)
from chalicelib.charging.service import paying
from chalicelib.charging.service.authorizing import operator_of
from chalicelib.charging.service.limiting import limits_of
from chalicelib.charging.service.paying import PayBy
from chalicelib.charging.service.pricing import check_can_be_paid, price_for
from chalicelib.charging.service.reserving import reservation_in_the_way
from chalicelib.charging.service.reviewing import check_statement_due
from chalicelib.charging.service.watching import close_unstarted, request_stop
from chalicelib.charging.store.sessions import OCCUPANCIES, SESSIONS, OccupancyRow
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Coverage, Driver, refused
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.identity.model.settings import least_until_full
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict, invalid
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.tariffs.model import TariffVersion
from chalicelib.wallets import service as wallets

_FREE_STATUSES = frozenset({"Available", "Preparing", "SuspendedEV", "SuspendedEVSE", "Finishing", "Occupied", ""})
"""1.6 and 2.x; the latter calls an EVSE occupied as soon as a car is plugged in. Who charges, our sessions know."""


def request_session(
    uow: UnitOfWork,
    *,
    session_id: str,
    driver_id: str,
    charger_id: str,
    evse_no: int,
    amount: Money | None,
    limits: Limits | None = None,
    pay_by: PayBy | None = None,
) -> ChargingSession:
    """Reserves money and the EVSE and tells the charger to start. `amount` None means "until full"; `limits` are the
    driver's other wishes, of which the first that is reached ends the charge. `pay_by`: `paying.chosen_coverage`.

    Raises charger.not_found, driver.inactive, order.statement_due, charger.offline, charger.not_public, evse.unknown,
    evse.busy, evse.reserved, tariff.none, payment_provider.missing, charging_session.currency, charging_session.amount,
    ledger.insufficient_funds, wallet.minimum_balance, and those of `paying.chosen_coverage`.
    """
    ctx = uow.ctx
    charger = chargers.require_charger(ctx, charger_id)
    driver = drivers.require_driver(ctx, driver_id)
    if drivers.standing(driver, charger.operator_id) == "inactive":
        raise conflict("driver.inactive", "The operator of this charger does not serve you any more.")
    check_statement_due(ctx, driver_id)
    reservation = reservation_in_the_way(uow, charger, evse_no, driver_id)
    check_reachable(uow, charger, evse_no, driver_id, reserved=reservation is not None)
    location = chargers.get_location(ctx, charger.location_id) if charger.location_id else None
    tariff = price_for(ctx, charger, drivers.groups_at(driver.groups, charger.operator_id))
    operator = operator_of(ctx, charger.operator_id)
    covered = paying.chosen_coverage(ctx, driver, operator, tariff.currency, pay_by)
    if covered is None:
        check_can_be_paid(ctx, tariff)
    held = _amount_to_hold(uow, driver_id, operator, covered, tariff, amount)
    now = ctx.now()
    session = ChargingSession(
        session_id=session_id,
        state="requested",
        origin="app",
        target="full" if amount is None else "amount",
        operator_id=charger.operator_id,
        location_id=charger.location_id,
        charger_id=charger.charger_id,
        evse_no=evse_no,
        # The charger opens a reserved EVSE to the id token that it was reserved for.
        id_token=reservation.id_token if reservation else drivers.app_token(driver_id),
        authorization="accepted",
        currency=tariff.currency,
        time_zone=location.time_zone if location else operator.time_zone,
        business_zone=operator.time_zone,
        created_at=now,
        driver_id=driver_id,
        enterprise_id=covered.enterprise_id if covered else None,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff.version,
        limits=limits,
        agency_id=location.agency_id if location else None,
        reservation_id=reservation.reservation_id if reservation else None,
    )
    session = paying.with_hold(session, held, now)
    uow.create(SESSIONS, session, on_conflict=conflict("charging_session.exists", "This session exists already."))
    reserve_evse(uow, session)
    paying.place_hold(uow, session, now + START_TIMEOUT + LONGEST_DELIVERY)
    ask_charger_to_start(uow, session, requested_by=driver_id)
    return session


def ask_charger_to_start(uow: UnitOfWork, session: ChargingSession, *, requested_by: str) -> None:
    """Queues the command, and tells that the session waits for its start."""
    chargers.queue_command(
        uow,
        charger_id=session.charger_id,
        action="start_session",
        payload=_intent(session),
        requested_by=requested_by,
        session_id=session.session_id,
    )
    outbox.emit(uow, "charging_session.requested", session.session_id)


def cancel_or_stop(uow: UnitOfWork, session: ChargingSession, *, requested_by: str) -> ChargingSession:
    """The driver or the operator ends the charge: before the start it is called off, after it the charger is told.

    A session that is over, or only waits to hear of its begin, stays as it is. One that is stopping already is told
    to the charger once more: it may have accepted the first time and done nothing."""
    if session.is_pending:
        return close_unstarted(uow, session, "cancelled")
    if session.state in DELIVERING_STATES and not session.awaits_begin:
        return request_stop(uow, session, requested_by=requested_by)
    return session


def _intent(session: ChargingSession) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "evse_no": session.evse_no,
        "id_token": session.id_token,
        "remote_start_id": session.remote_start_id,
    }
    limits = limits_of(session)
    if limits is not None:
        named = {name: value for name, value in asdict(limits).items() if value is not None and name != "cost"}
        if limits.cost is not None:
            named |= {"cost": limits.cost.amount, "currency": limits.cost.currency}
        payload["limits"] = named
    return payload


def may_start(ctx: Context, charger: Charger, driver: Driver | None) -> bool:
    """May the driver start a charge there from the phone? Not where the operator, or the platform, serves them no more:
    what `request_session` refuses without looking at the connector."""
    if driver is None or drivers.standing(driver, charger.operator_id) == "inactive":
        return False
    return chargers.may_start(ctx, charger, driver.driver_id)


def check_may_ask(ctx: Context, charger: Charger, driver_id: str) -> None:
    """Raises charger.not_public where this driver may not ask for anything from the phone: the charger is for the
    members of its group only."""
    if charger.location_id is None or not chargers.may_start(ctx, charger, driver_id):
        raise conflict("charger.not_public", "This charger does not take charges from your phone.")


def check_can_pay(uow: UnitOfWork, charger: Charger, driver_id: str) -> None:
    """What a charge until full would ask of the driver: nobody keeps a connector from others who could not use it.

    Raises driver.inactive, order.statement_due, tariff.none, ledger.insufficient_funds, wallet.minimum_balance.
    """
    ctx = uow.ctx
    driver = drivers.require_driver(ctx, driver_id)
    if drivers.standing(driver, charger.operator_id) == "inactive":
        raise conflict("driver.inactive", "The operator of this charger does not serve you any more.")
    check_statement_due(ctx, driver_id)
    tariff = price_for(ctx, charger, drivers.groups_at(driver.groups, charger.operator_id))
    operator = operator_of(ctx, charger.operator_id)
    try:
        covered = paying.chosen_coverage(ctx, driver, operator, tariff.currency, None)
    except DomainError:
        covered = None  # the enterprise pays nothing at the moment: the wallet may
    _amount_to_hold(uow, driver_id, operator, covered, tariff, None)


def check_reachable(uow: UnitOfWork, charger: Charger, evse_no: int, driver_id: str, *, reserved: bool) -> None:
    """Raises charger.not_public, evse.unknown, charger.offline, evse.busy. A guest has no `driver_id`: it is empty."""
    check_may_ask(uow.ctx, charger, driver_id)
    evse = next((e for e in chargers.list_evses(uow.ctx, charger.charger_id) if e.evse_no == evse_no), None)
    if evse is None or evse_no == 0:
        raise invalid("evse.unknown", f"This charger has no connector {evse_no}.", "/evse_no")
    link = chargers.get_link(uow.ctx, charger.charger_id)
    if link is None or link.connection_id is None:
        raise conflict("charger.offline", "This charger is not connected at the moment.")
    if (evse.status or "") not in _FREE_STATUSES and not (reserved and evse.status == "Reserved"):
        raise conflict("evse.busy", f"Connector {evse_no} is {evse.status}.")


def _amount_to_hold(
    uow: UnitOfWork,
    driver_id: str,
    operator: Organization,
    covered: Coverage | None,
    tariff: TariffVersion,
    amount: Money | None,
) -> Money:
    if amount is None:
        available = covered.room if covered else _enough_until_full(uow.ctx, driver_id, operator, tariff.currency)
        if available.amount <= 0:
            raise DomainError("ledger.insufficient_funds", "The wallet is empty; top it up first.")
        return min(available, usual_hold(tariff.currency))
    if amount.currency != tariff.currency:
        raise invalid("charging_session.currency", f"This charger is paid in {tariff.currency}.", "/amount/currency")
    if amount.amount <= 0:
        raise invalid("charging_session.amount", "The amount must be positive.", "/amount/amount")
    if covered is not None and amount > covered.room:
        raise refused(covered)
    return amount


def _enough_until_full(ctx: Context, driver_id: str, operator: Organization, currency: str) -> Money:
    """What the wallet has, if that will do for a charge whose end nobody knows."""
    available = wallets.available(ctx, driver_id, currency)
    payments = identity.payments_of(ctx, operator.organization_id)
    least = least_until_full(payments, operator.currency, currency)
    if available < least:
        raise DomainError(
            "wallet.minimum_balance",
            f"To charge until full the wallet needs {least}, of which it has {available}.",
            shortfall=least - available,
        )
    return available


def reserve_evse(uow: UnitOfWork, session: ChargingSession) -> None:
    """Points the EVSE's occupancy at the session; refused while another session is open there."""
    key = charger_key(session.charger_id)
    place = lookup.look_at(uow.ctx, key, session.evse_no)
    occupancy = place.occupancy
    if occupancy is None:
        uow.create(OCCUPANCIES, Occupancy(key, session.evse_no, session.session_id, session.id_token))
        return
    if place.present is not None and place.present.has_evse:
        raise conflict("evse.busy", "Somebody is charging at this connector.")
    uow.put(
        OCCUPANCIES,
        Occupancy(
            key,
            session.evse_no,
            session.session_id,
            session.id_token,
            history=occupancy.history_for_successor(),
        ),
        condition=OccupancyRow.session_id == occupancy.session_id,
        on_conflict=StaleRead("The connector"),
    )
