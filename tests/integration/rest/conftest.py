"""A site with a past: something of every kind that REST can name, all of it one operator's and one driver's."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, ChargerGroup
from chalicelib.chargers.model.templates import ChargerTemplate, Setting
from chalicelib.charging import service as charging
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model.feedback import FeedbackSubject
from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.model.logins import Device
from chalicelib.identity.model.totp import code_at, step_of
from chalicelib.identity.service import totp
from chalicelib.identity.service.sign_ins import open_sign_in
from chalicelib.kernel.context import Settings
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import income_account
from chalicelib.maintenance import service as maintenance
from chalicelib.settlement import jobs as settlement_jobs
from chalicelib.tariffs import service as tariffs
from chalicelib.wallets import service as wallets
from tests import world as worlds
from tests.contract.pki.papers import signing_request
from tests.integration.rest.card_payments import things_of_card_payments
from tests.integration.rest.driver_groups import things_of_driver_groups
from tests.integration.rest.files import things_of_files
from tests.integration.rest.fleet import things_of_enterprise
from tests.integration.rest.income import prepare_income, things_of_income
from tests.integration.rest.orders import things_of_orders
from tests.integration.rest.packages import things_of_packages
from tests.integration.rest.reconciliations import things_of_reconciliation
from tests.integration.rest.vouchers import things_of_vouchers
from tests.integration.rest.webhooks import things_of_webhooks
from tests.site import CARD, CHARGER_ID, Site, build_site

NIGHT_S = 24 * 3600
UNHEARD_PORT = 1
"""Nobody listens there: the payment provider does not answer."""


@pytest.fixture
def world() -> Iterator[worlds.World]:
    built = build_world()
    yield built
    built.close()


@pytest.fixture
def site(world: worlds.World) -> Site:
    return build_site(world)


@pytest.fixture
def things(site: Site) -> dict[str, str]:
    return build_things(site)


def build_world() -> worlds.World:
    return worlds.build(settings=Settings(stripe_api_base=f"http://127.0.0.1:{UNHEARD_PORT}"))


def build_things(site: Site) -> dict[str, str]:
    """What the site has, by the name that paths and bodies give it. The night after its first day has passed."""
    world = site.world
    driver_id = site.driver.driver_id
    outcome = site.start(meter_wh=1000)
    site.stop(outcome.transaction_id, 2000)
    [ended] = site.sessions()
    world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, driver_id))
    world.driver_token(driver_id)
    of_charger = things_of_charger(site) | things_of_organization(site) | things_told(site, ended.session_id)
    of_charger |= things_of_orders(site)
    of_charger |= things_of_driver_groups(site) | things_of_card_payments(site)
    of_charger |= things_of_tree(site) | things_of_network(site) | things_of_sign_in(site)
    topup, _ = world.commit(
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
    of_charger |= things_of_enterprise(site) | things_of_files(site) | things_of_packages(site)
    of_charger |= things_of_vouchers(site)
    of_charger |= things_of_webhooks(site)
    prepare_income(site, of_charger["agency_id"])
    day = world.clock.now().date().isoformat()
    world.run_events()
    world.advance(NIGHT_S)
    world.run_job(settlement_jobs.open_settlements)
    settlement_jobs.settlement_compute({"operator_id": site.operator.operator_id, "business_day": day}, None)
    settlement_jobs.settlement_post({"operator_id": site.operator.operator_id, "business_day": day}, None)
    world.run_events()
    of_charger |= things_of_income(site, of_charger["agency_id"]) | things_of_reconciliation(site)
    return of_charger | {
        "organization_id": site.operator.operator_id,
        "user_id": site.operator.user.user_id,
        "location_id": site.location.location_id,
        "charger_id": CHARGER_ID,
        "evse_no": "1",
        "code": CHARGER_ID,
        "tariff_id": site.tariff.tariff_id,
        "spare_tariff_id": spare_tariff(site),
        "driver_id": driver_id,
        "id_token": CARD,
        "drawer_card": drawer_card(site),
        "account_id": income_account(site.operator.operator_id, "EUR"),
        "provider": "stripe",
        "topup_id": topup.topup_id,
        "session_id": ended.session_id,
        "cdr_id": ended.session_id.replace("ses_", "cdr_"),
        "reservation_id": reservation.reservation_id,
        "settlement_id": f"{site.operator.operator_id}.{day}",
        "business_day": day,
        "fresh": "0",
    }


def spare_tariff(site: Site) -> str:
    """One that applies nowhere."""
    tariff = site.world.commit(
        lambda uow: tariffs.create_tariff(
            uow,
            operator_id=site.operator.operator_id,
            name="Spare",
            currency="EUR",
            tax_included=True,
            elements=site.tariff.elements,
        )
    )
    return str(tariff.tariff_id)


def drawer_card(site: Site) -> str:
    """A card that the operator configured and that nobody has."""
    operator_id = site.operator.operator_id
    site.world.commit(lambda uow: drivers.add_card(uow, id_token="DRAWER-1", operator_id=operator_id, driver=None))
    return "DRAWER-1"


def things_told(site: Site, session_id: str) -> dict[str, str]:
    """What the driver told of a charge, and was answered."""
    subject = FeedbackSubject(site.operator.operator_id, session_id, CHARGER_ID, site.location.location_id)
    commit = site.world.commit
    given = commit(lambda uow: drivers.give_feedback(uow, site.driver.driver_id, subject, "It was slow."))
    commit(lambda uow: drivers.answer_feedback(uow, given, "We look into it.", by="things", operator_name="Ours"))
    return {"feedback_id": given.feedback_id}


def things_of_organization(site: Site) -> dict[str, str]:
    """A region with nothing in it, a vending point, and what the audit log tells of their making."""
    rest, token = site.world.rest, site.operator.access_token
    country = rest.post("/v1/regions", {"name": "Germany", "country_code": "DE"}, token=token).body
    region = rest.post("/v1/regions", {"name": "Holstein", "parent_id": country["region_id"]}, token=token).body
    point = rest.post("/v1/vending-points", {"name": "Harbour"}, token=token).body
    [event, *_] = rest.get("/v1/audit-events", token=token, query={"action": "create_region"}).body["data"]
    return {
        "region_id": region["region_id"],
        "vending_point_id": point["vending_point_id"],
        "audit_id": event["audit_id"],
    }


def things_of_tree(site: Site) -> dict[str, str]:
    """An agency of the operator's, a group that nobody is in, and a logo."""
    rest, operator = site.world.rest, site.operator
    admin = {"email": "amy@agency.example", "full_name": "Amy Agent"}
    agency = {"name": "Agency", "email": admin["email"], "admin": admin}
    opened = rest.post("/v1/organizations", agency, token=operator.access_token).body
    group = rest.post("/v1/user-groups", {"name": "Nobody's"}, token=operator.access_token).body
    logo = {"media_type": "image/png", "content": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()}
    rest.put(f"/v1/organizations/{operator.operator_id}/logo", logo, token=operator.access_token)
    return {"agency_id": opened["organization_id"], "group_id": group["group_id"]}


def things_of_sign_in(site: Site) -> dict[str, str]:
    """An API key, another device of the administrator's, and a colleague whose second factor is on."""
    world, rest, token = site.world, site.world.rest, site.operator.access_token
    api_key = rest.post("/v1/api-keys", {"name": "Till", "permissions": ["locations:read"]}, token=token).body
    login = identity.find_login(world.ctx, site.operator.user.email)
    assert login is not None
    phone = world.commit(lambda uow: open_sign_in(uow, login, Device("Phone")))
    new = {"email": "guarded@operator.example", "full_name": "Gus Guarded"}
    colleague = rest.post("/v1/users", new, token=token).body
    guarded = identity.find_login(world.ctx, new["email"])
    assert guarded is not None
    secret = world.commit(lambda uow: totp.begin_totp(uow, guarded))
    world.commit(lambda uow: totp.confirm_totp(uow, guarded, code_at(secret, step_of(world.clock.now()))))
    return {
        "api_key_id": api_key["api_key_id"],
        "sign_in_id": phone.sign_in_id,
        "guarded_user_id": colleague["user_id"],
    }


def things_of_network(site: Site) -> dict[str, str]:
    """What is not in use: an empty location, a charger that stands nowhere, groups; and the stock of the platform."""
    world, operator_id = site.world, site.operator.operator_id
    location = replace(site.location, location_id=world.ctx.new_id("loc"), name="Field", charger_count=0)
    world.commit(lambda uow: chargers.add_location(uow, location))
    for charger_id, holder_id, serial_number in (
        ("CP-SPARE", operator_id, None),
        ("CP-STOCK-1", PLATFORM_ID, "SN-STOCK"),
        ("CP-STOCK-2", PLATFORM_ID, "SN-MOVED"),
    ):
        new = Charger(charger_id, holder_id, 1, "", world.ctx.now(), serial_number=serial_number, uid="UID-STOCK")
        world.commit(lambda uow, new=new: chargers.register_charger(uow, new, None))
    groups = [ChargerGroup(world.ctx.new_id("cgr"), operator_id, name, world.ctx.now()) for name in ("Staff", "Nobody")]
    for group in groups:
        world.commit(lambda uow, group=group: chargers.add_group(uow, group, None))
    world.commit(lambda uow: chargers.add_member(uow, groups[0], site.driver.driver_id))
    return {
        "empty_location_id": location.location_id,
        "spare_charger_id": "CP-SPARE",
        "stock_charger_id": "CP-STOCK-2",
        "charger_group_id": groups[0].group_id,
        "empty_group_id": groups[1].group_id,
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
