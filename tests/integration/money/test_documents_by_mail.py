"""Documents reach those who have no sign-in: they come with the mail, and once more when somebody asks."""

from __future__ import annotations

from xml.etree import ElementTree

import pypdfium2
import pytest

from infra.local.messages import Message
from tests.integration.money.owing import settle_night
from tests.integration.money.paying import Fleet, charge, euro
from tests.integration.money.test_credit_notes import credit, fleet, invoiced
from tests.site import Site
from tests.world import World

__all__ = ["fleet"]


def files_of(world: World, mail: Message) -> dict[str, bytes]:
    found = (world.outbox.attachment(mail.id, number) for number in range(len(mail.attachments)))
    return {attachment.name: content for attachment, content in filter(None, found)}


def words_of(pdf: bytes) -> str:
    return str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range())


def test_an_invoice_comes_with_its_mail_for_people_and_for_machines(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    [mail] = [each for each in site.world.mails(to="pay@fleet.example") if invoice["number"] in (each.subject or "")]
    files = files_of(site.world, mail)
    assert sorted(files) == ["SUED-INV-2026-000001.pdf", "SUED-INV-2026-000001.xml"]
    path = f"/v1/invoices/{invoice['invoice_id']}"
    assert files["SUED-INV-2026-000001.pdf"] == fleet.ask("GET", f"{path}/pdf").body
    assert ElementTree.fromstring(files["SUED-INV-2026-000001.xml"]).tag.endswith("}Invoice")
    assert "attached" in (mail.text or "")
    assert "ask " not in (mail.text or "")


def test_a_credit_note_comes_with_its_mail(site: Site, fleet: Fleet) -> None:
    note = credit(fleet, invoiced(fleet), amount=euro(200)).body
    site.world.run_events()
    [mail] = [each for each in site.world.mails() if note["number"] in (each.subject or "")]
    files = files_of(site.world, mail)
    assert sorted(files) == [f"{note['number']}.pdf", f"{note['number']}.xml"]
    assert "2.00 EUR" in words_of(files[f"{note['number']}.pdf"])


def test_an_invoice_is_sent_again_to_the_address_of_today_once_per_click(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    fleet.ask("PATCH", fleet.path, {"email": "new@fleet.example"})
    path = f"/v1/invoices/{invoice['invoice_id']}/send"
    replies = [fleet.ask("POST", path, key="again") for _ in range(2)]
    assert [(each.status, each.body["to"], each.body["number"]) for each in replies] == [
        (202, "new@fleet.example", invoice["number"])
    ] * 2
    site.world.run_events()
    [mail] = site.world.mails(to="new@fleet.example")
    assert len(files_of(site.world, mail)) == 2
    site.advance_s(1)
    fleet.ask("POST", path, key="once more")
    site.world.run_events()
    assert len(site.world.mails(to="new@fleet.example")) == 2


def test_a_credit_note_is_sent_again(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    note = credit(fleet, invoice, amount=euro(200)).body
    path = f"/v1/invoices/{invoice['invoice_id']}/credit-notes/{note['credit_note_id']}/send"
    assert fleet.ask("POST", path, key="again").status == 202
    site.world.run_events()
    mails = [each for each in site.world.mails() if note["number"] in (each.subject or "")]
    assert [len(each.attachments) for each in mails] == [2, 2]


@pytest.mark.parametrize("path", ["/v1/invoices/{}/send", "/v1/invoices/{}/credit-notes/crn_1/send"])
def test_nobody_else_sends_an_invoice(site: Site, fleet: Fleet, path: str) -> None:
    invoice = invoiced(fleet)
    stranger = site.world.operator("Stranger")
    site.advance_s(1)
    reply = site.world.rest.post(
        path.format(invoice["invoice_id"]), token=site.world.access_token(stranger.user.email), key="k"
    )
    assert (reply.status, reply.body["code"]) == (404, "invoice.not_found")


def test_a_driver_who_wants_receipts_gets_them_as_documents(site: Site) -> None:
    site.wants_receipts()
    session = charge(site, 20_000)
    [mail] = site.world.mails(to=site.driver.email)
    [(name, content)] = files_of(site.world, mail).items()
    assert name == f"receipt-{session.order_no}.pdf"
    assert "7.00 EUR" in words_of(content)


def test_a_statement_comes_with_the_mail_of_its_day(site: Site) -> None:
    site.world.platform_admin()  # who issues statements
    charge(site, 20_000)
    settle_night(site)
    site.world.run_events()
    [mail] = [each for each in site.world.mails() if "Statement" in (each.subject or "")]
    [(name, content)] = files_of(site.world, mail).items()
    assert name.startswith("statement-")
    assert "Statement 2026-" in words_of(content)
