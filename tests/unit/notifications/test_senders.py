"""In whose name a mail goes out: never under another address than the platform's, and with no header smuggled in."""

from __future__ import annotations

import json
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications import jobs, service
from chalicelib.notifications.model import Sender
from infra.local import aws_hooks
from tests.world import World

CONSUMERS = {"mail.queued": (jobs.on_mail_queued,)}
ADDRESS = "no-reply@wattfare.example"


def queue(world: World, sender: dict[str, str] | None) -> None:
    world.commit(
        lambda uow: service.queue_mail(
            uow,
            dedupe_key="m1",
            to="dora@driver.example",
            template="verification_code",
            data={"code": "123456"},
            sender=sender,
        )
    )


def test_a_footer_ends_the_mail_in_text_and_in_html(world: World) -> None:
    queue(world, {"name": "Volt", "reply_to": "help@volt.example", "footer": "Volt <b>&</b> Söhne\n+49 1"})
    world.run_events(CONSUMERS)
    [mail] = world.mails()
    assert parseaddr(mail.sender) == ("Volt", ADDRESS)
    assert (mail.text or "").endswith("-- \nVolt <b>&</b> Söhne\n+49 1\n")
    assert "Volt &lt;b&gt;&amp;&lt;/b&gt; Söhne<br>+49 1" in (mail.html or "")


@pytest.mark.parametrize("sender", [None, {}, {"name": " ", "reply_to": "", "footer": ""}])
def test_without_a_sender_it_is_the_platform_s(world: World, sender: dict[str, str] | None) -> None:
    queue(world, sender)
    world.run_events(CONSUMERS)
    [mail] = world.mails()
    assert mail.sender == world.ctx.settings.mail_from
    assert "-- " not in (mail.text or "")


def test_answers_go_where_the_sender_says(world: World) -> None:
    seen: list[dict[str, Any]] = []

    def keep(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        seen.append(json.loads(request["body"]))
        return {"MessageId": "1"}

    queue(world, {"name": "Volt", "reply_to": "help@volt.example", "footer": ""})
    restore = aws_hooks.register("sesv2", keep)
    try:
        world.run_events(CONSUMERS)
    finally:
        restore()
    assert [request["ReplyToAddresses"] for request in seen] == [["help@volt.example"]]


@given(st.text(min_size=1, max_size=100))
def test_any_name_is_a_name_and_nothing_else(name: str) -> None:
    sent = service._from(f"Wattfare <{ADDRESS}>", Sender(name=name))
    assert sent.isascii()
    assert "\n" not in sent
    assert "\r" not in sent
    shown, address = parseaddr(sent)
    assert address == ADDRESS or sent.startswith("Wattfare")
    assert all(len(word) <= 75 for word in sent.split()) or name.isascii()
    letters = "".join(letter for letter in name if letter.isalnum())
    if letters and not sent.startswith("Wattfare"):
        decoded = str(make_header(decode_header(shown)))
        assert "".join(letter for letter in decoded if letter.isalnum()) == letters
