"""Documents that go with mails: named when the mail is queued, made when it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pytest

from chalicelib.kernel.context import Context
from chalicelib.notifications import jobs, service
from chalicelib.notifications.model import Enclosure, File
from chalicelib.notifications.service import MAX_ENCLOSED_BYTES, Encloser
from tests.world import World

TO = "office@fleet.example"


class Press:
    """Makes a file of any document, and remembers when it was asked."""

    def __init__(self, size: int = 4) -> None:
        self.size, self.asked = size, list[tuple[str, ...]]()

    def __call__(self, ctx: Context, ids: tuple[str, ...]) -> Sequence[File]:
        self.asked.append(ids)
        return [File(f"{ids[0]}.pdf", "application/pdf", b"%" * self.size)]


def queue(world: World, *enclosures: Enclosure, key: str = "m1") -> None:
    world.commit(
        lambda uow: service.queue_mail(
            uow,
            dedupe_key=key,
            to=TO,
            template="verification_code",
            data={"code": "123456"},
            enclosures=enclosures,
        )
    )


def deliver(world: World, enclosers: Mapping[str, Encloser]) -> list[tuple[str, str, int]]:
    world.run_events({"mail.queued": (partial(jobs.on_mail_queued, enclosers=enclosers),)})
    [mail] = world.mails(to=TO)
    return [(each.name, each.media_type, each.size) for each in mail.attachments]


def test_a_document_is_made_when_the_mail_is_sent_and_goes_with_it(world: World) -> None:
    press = Press()
    queue(world, Enclosure("invoice", ("inv_1",)), Enclosure("invoice", ("inv_2",)))
    assert press.asked == []
    sent = deliver(world, {"invoice": press})
    assert sent == [("inv_1.pdf", "application/pdf", 4), ("inv_2.pdf", "application/pdf", 4)]
    [mail] = world.mails(to=TO)
    assert mail.subject
    assert "123456" in (mail.text or "")


def test_a_mail_waits_for_a_kind_that_nobody_makes_yet(world: World) -> None:
    queue(world, Enclosure("invoice", ("inv_1",)))
    with pytest.raises(KeyError):
        deliver(world, {})
    assert world.mails() == []
    assert len(deliver(world, {"invoice": Press()})) == 1


def test_no_more_is_enclosed_than_mailboxes_take(world: World) -> None:
    queue(world, Enclosure("large", ("a",)), Enclosure("small", ("b",)))
    sent = deliver(world, {"large": Press(MAX_ENCLOSED_BYTES + 1), "small": Press()})
    assert [name for name, _, _ in sent] == ["b.pdf"]


def test_a_mail_is_made_once_though_it_is_told_of_twice(world: World) -> None:
    press = Press()
    queue(world, Enclosure("invoice", ("inv_1",)))
    queue(world, Enclosure("invoice", ("inv_1",)))
    deliver(world, {"invoice": press})
    assert press.asked == [("inv_1",)]
