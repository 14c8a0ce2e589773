"""An enterprise with a member who charged, and the invoice of that."""

from __future__ import annotations

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver, Enterprise, Member
from chalicelib.kernel.money import Money
from chalicelib.settlement import jobs, service
from tests.site import Site

MEMBERS_CARD = "FLEET01"


def things_of_enterprise(site: Site) -> dict[str, str]:
    """Drawn up before the month is over: the job that waits for that has tests of its own."""
    world, commit, operator_id = site.world, site.world.commit, site.operator.operator_id
    driver = Driver(world.ctx.new_id("drv"), "mia@member.example", "Mia Member", world.ctx.now())
    commit(lambda uow: drivers.create_driver(uow, driver))
    commit(lambda uow: drivers.link_operator(uow, operator_id, driver.driver_id))
    commit(lambda uow: drivers.add_card(uow, id_token=MEMBERS_CARD, operator_id=operator_id, driver=driver))
    enterprise = Enterprise(
        world.ctx.new_id("epr"), operator_id, "Fleet", "pay@fleet.example", "EUR", 10_000, world.ctx.now()
    )
    commit(lambda uow: drivers.create_enterprise(uow, enterprise))
    member = Member(enterprise.enterprise_id, driver.driver_id, world.ctx.now())
    linked = drivers.require_driver(world.ctx, driver.driver_id)
    commit(lambda uow: drivers.put_member(uow, enterprise, linked, member))
    outcome = site.start(MEMBERS_CARD, evse_no=2, meter_wh=0, message_id="fleet")
    site.stop(outcome.transaction_id, 10_000)
    operator = site.operator.organization
    assert jobs.draw_up_invoice(world.ctx, operator, enterprise, world.clock.now().date().isoformat()[:7])
    [invoice] = service.list_invoices(world.ctx, operator_id, limit=1, cursor=None).data
    _, note = commit(
        lambda uow: service.issue_credit_note(
            uow,
            invoice,
            credit_note_id=world.ctx.new_id("crn"),
            amount=Money(1, "EUR"),
            reason="A cent too much",
            issued_by="usr_1",
        )
    )
    return {
        "credit_note_id": note.credit_note_id,
        "enterprise_id": enterprise.enterprise_id,
        "member_id": driver.driver_id,
        "invoice_id": invoice.invoice_id,
    }
