"""A site with a past: something of every kind that REST can name, all of it one operator's and one driver's."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model.templates import ChargerTemplate, Setting
from chalicelib.charging import service as charging
from chalicelib.drivers import service as drivers
from chalicelib.kernel.context import Settings
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import income_account
from chalicelib.maintenance import service as maintenance
from chalicelib.settlement import jobs as settlement_jobs
from chalicelib.wallets import service as wallets
from tests import world as worlds
from tests.contract.pki.papers import signing_request
from tests.site import CARD, CHARGER_ID, Site, build_site

NIGHT_S = 24 * 3600
UNHEARD_PORT = 1
"""Nobody listens there: the payment provider does not answer."""


@pytest.fixture
def world() -> Iterator[worlds.World]:
    built = worlds.build(settings=Settings(stripe_api_base=f"http://127.0.0.1:{UNHEARD_PORT}"))
    yield built
    built.close()


@pytest.fixture
def site(world: worlds.World) -> Site:
    return build_site(world)


@pytest.fixture
def things(site: Site) -> dict[str, str]:
    """What the site has, by the name that paths and bodies give it. The night after its first day has passed."""
    world = site.world
    driver_id = site.driver.driver_id
    outcome = site.start(meter_wh=1000)
    site.stop(outcome.transaction_id, 2000)
    [ended] = site.sessions()
    world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, driver_id))
    world.driver_token(driver_id)
    of_charger = things_of_charger(site)
    topup, payment = world.commit(
        lambda uow: wallets.begin_topup(
            uow,
            topup_id=world.ctx.new_id("top"),
            payment_id=world.ctx.new_id("pay"),
            driver_id=driver_id,
            amount=Money(1000, "EUR"),
        )
    )
    reservation = world.commit(
        lambda uow: charging.request_reservation(
            uow,
            reservation_id=world.ctx.new_id("res"),
            charger=site.charger,
            evse_no=1,
            id_token=CARD,
            until=world.clock.now() + timedelta(hours=1),
            requested_by="things",
            driver_id=driver_id,
        )
    )
    day = world.clock.now().date().isoformat()
    world.run_events()
    world.advance(NIGHT_S)
    world.run_job(settlement_jobs.open_settlements)
    settlement_jobs.settlement_compute({"operator_id": site.operator.operator_id, "business_day": day}, None)
    settlement_jobs.settlement_post({"operator_id": site.operator.operator_id, "business_day": day}, None)
    world.run_events()
    return of_charger | {
        "organization_id": site.operator.operator_id,
        "user_id": site.operator.user.user_id,
        "location_id": site.location.location_id,
        "charger_id": CHARGER_ID,
        "code": CHARGER_ID,
        "tariff_id": site.tariff.tariff_id,
        "driver_id": driver_id,
        "id_token": CARD,
        "account_id": income_account(site.operator.operator_id, "EUR"),
        "provider": "stripe",
        "payment_id": payment.payment_id,
        "topup_id": topup.topup_id,
        "session_id": ended.session_id,
        "reservation_id": reservation.reservation_id,
        "settlement_id": f"{site.operator.operator_id}.{day}",
        "business_day": day,
        "fresh": "0",
    }


def things_of_charger(site: Site) -> dict[str, str]:
    """What hangs on the charger: a command, a certificate, a report, a template, an override, a refused handshake."""
    world = site.world
    command = world.commit(
        lambda uow: chargers.queue_command(
            uow, charger_id=CHARGER_ID, action="ClearCache", payload={}, requested_by="things"
        )
    )
    certificate_id = issued_certificate(site)
    world.commit(lambda uow: maintenance.report_customer_information(uow, site.charger, 5, "Dana Driver", 0, True))
    template = ChargerTemplate(
        template_id=world.ctx.new_id("tpl"),
        operator_id=site.operator.operator_id,
        name="Ours",
        created_at=world.ctx.now(),
        settings=[Setting("ClockAlignedDataInterval", "0")],
    )
    world.commit(lambda uow: chargers.add_template(uow, template))
    world.commit(lambda uow: chargers.set_override(uow, site.charger, Setting("HeartbeatInterval", "500")))
    wrong = "Basic " + base64.b64encode(f"{CHARGER_ID}:wrong".encode()).decode()
    world.commit(
        lambda uow: chargers.check_handshake(
            uow, identity=CHARGER_ID, authorization=wrong, offered_protocols=["ocpp1.6"], source_ip="192.0.2.9"
        )
    )
    return {
        "command_id": command.command_id,
        "certificate_id": certificate_id,
        "template_id": template.template_id,
    }


def issued_certificate(site: Site) -> str:
    """The id of a certificate that the site's charger asked for and that was signed."""
    asked = {"csr_pem": signing_request(CHARGER_ID), "kind": "charger", "request_id": None}
    site.world.commit(lambda uow: maintenance.request_signature(uow, site.charger, **asked))
    page = maintenance.list_certificate_requests(site.world.ctx, CHARGER_ID, limit=1, cursor=None)
    site.world.run_events()
    return page.data[0].certificate_id
