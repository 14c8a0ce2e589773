"""Caught e-mails and SMS, through unmodified botocore clients."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.kernel.clock import VirtualClock
from infra.local.messages import KEPT, Attachment, Outbox

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SENDER = "Wattfare <no-reply@wattfare.example>"
LENIENT = Config(parameter_validation=False)
CREDENTIALS = {"region_name": "eu-west-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def outbox(clock: VirtualClock, tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(clock.now, tmp_path / "messages.sqlite")
    restore = outbox.install()
    yield outbox
    restore()
    outbox.close()


def ses() -> Any:
    return boto3.client("sesv2", config=LENIENT, **CREDENTIALS)


def sns() -> Any:
    return boto3.client("sns", config=LENIENT, **CREDENTIALS)


def simple(subject: str = "Your code", text: str | None = "123456", html: str | None = None) -> dict[str, Any]:
    body = {name: {"Data": data} for name, data in (("Text", text), ("Html", html)) if data is not None}
    return {"Simple": {"Subject": {"Data": subject}, "Body": body}}


def send(content: dict[str, Any], *to: str, **more: Any) -> str:
    answer = ses().send_email(FromEmailAddress=SENDER, Destination={"ToAddresses": list(to)}, Content=content, **more)
    return str(answer["MessageId"])


class TestEmail:
    def test_simple(self, outbox: Outbox) -> None:
        message_id = send(simple(html="<b>123456</b>"), "Ann <ann@example.com>")
        [message] = outbox.list()
        assert message.to_json() == {
            "id": message_id,
            "channel": "email",
            "to": "ann@example.com",
            "from": SENDER,
            "subject": "Your code",
            "text": "123456",
            "html": "<b>123456</b>",
            "attachments": [],
            "at": "2026-03-01T12:00:00.000Z",
        }

    def test_raw(self, outbox: Outbox) -> None:
        mail = EmailMessage()
        mail["From"] = SENDER
        mail["To"] = "Ann <ann@example.com>, bob@example.com"
        mail["Subject"] = "Ihr Beleg für März"
        mail.set_content("Im Anhang.\n")
        mail.add_alternative("<p>Im Anhang.</p>\n", subtype="html")
        mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="beleg.pdf")
        ses().send_email(Content={"Raw": {"Data": mail.as_bytes()}})
        [message] = outbox.list(to="bob@example.com")
        assert message.to == ("ann@example.com", "bob@example.com")
        assert message.sender == SENDER
        assert message.subject == "Ihr Beleg für März"
        assert message.text == "Im Anhang.\n"
        assert message.html == "<p>Im Anhang.</p>\n"
        assert message.attachments == (Attachment("beleg.pdf", "application/pdf", 8),)
        assert outbox.attachment(message.id, 0) == (message.attachments[0], b"%PDF-1.7")

    def test_a_simple_mail_with_files(self, outbox: Outbox) -> None:
        files = [
            {"FileName": "a.pdf", "RawContent": b"%PDF", "ContentType": "application/pdf"},
            {"FileName": "b.xml", "RawContent": b"<b/>"},
        ]
        content = simple()
        content["Simple"]["Attachments"] = files
        send(content, "ann@example.com")
        [message] = outbox.list()
        assert [each.to_json() for each in message.attachments] == [
            {"name": "a.pdf", "type": "application/pdf", "size": 4},
            {"name": "b.xml", "type": "application/xml", "size": 4},
        ]
        found = outbox.attachment(message.id, 1)
        assert found is not None
        assert found[1] == b"<b/>"
        assert outbox.attachment(message.id, 2) is None
        assert outbox.attachment("nobody", 0) is None

    def test_the_destination_overrides_the_headers_of_a_raw_mail(self, outbox: Outbox) -> None:
        mail = EmailMessage()
        mail["To"] = "ann@example.com"
        mail.set_content("x")
        send({"Raw": {"Data": mail.as_bytes()}}, "bob@example.com")
        assert outbox.list(to="ann@example.com") == []
        assert len(outbox.list(to="bob@example.com")) == 1

    def test_newest_first_of_one_address_in_any_case(self, outbox: Outbox, clock: VirtualClock) -> None:
        for number in range(3):
            send(simple(str(number)), "ann@example.com")
            clock.advance(60)
        send(simple("other"), "bob@example.com")
        assert [message.subject for message in outbox.list(to=" ANN@example.com")] == ["2", "1", "0"]
        assert [message.subject for message in outbox.list(to="ann@example.com", limit=1)] == ["2"]
        assert [message.subject for message in outbox.list()] == ["other", "2", "1", "0"]
        assert outbox.list(to="ann@example") == []

    def test_copies_are_recipients_too(self, outbox: Outbox) -> None:
        ses().send_email(
            FromEmailAddress=SENDER,
            Destination={
                "ToAddresses": ["a@example.com"],
                "CcAddresses": ["c@example.com"],
                "BccAddresses": ["B@example.com"],
            },
            Content=simple(),
        )
        for address in ("a@example.com", "b@example.com", "c@example.com"):
            assert len(outbox.list(to=address)) == 1

    @pytest.mark.parametrize(
        ("request_", "code"),
        [
            ({"Content": simple(), "FromEmailAddress": SENDER}, "BadRequestException"),
            ({"Content": simple(), "FromEmailAddress": SENDER, "Destination": {}}, "BadRequestException"),
            ({"Content": simple(), "Destination": {"ToAddresses": ["a@example.com"]}}, "BadRequestException"),
            (
                {"Content": simple(), "FromEmailAddress": "nobody", "Destination": {"ToAddresses": ["a@example.com"]}},
                "BadRequestException",
            ),
            (
                {"FromEmailAddress": SENDER, "Destination": {"ToAddresses": ["a@example.com"]}, "Content": {}},
                "BadRequestException",
            ),
            (
                {
                    "FromEmailAddress": SENDER,
                    "Destination": {"ToAddresses": ["a@example.com"]},
                    "Content": simple(text=None),
                },
                "BadRequestException",
            ),
            (
                {
                    "FromEmailAddress": SENDER,
                    "Destination": {"ToAddresses": ["a@example.com"]},
                    "Content": {"Template": {"TemplateName": "welcome"}},
                },
                "BadRequestException",
            ),
            (
                {
                    "FromEmailAddress": SENDER,
                    "Destination": {"ToAddresses": ["a@example.com"]},
                    "Content": {"Raw": {"Data": b""}},
                },
                "BadRequestException",
            ),
            (
                {"FromEmailAddress": SENDER, "Destination": {"ToAddresses": ["ann at home"]}, "Content": simple()},
                "BadRequestException",
            ),
            (
                {
                    "FromEmailAddress": SENDER,
                    "Destination": {"ToAddresses": [f"a{number}@example.com" for number in range(51)]},
                    "Content": simple(),
                },
                "MessageRejected",
            ),
        ],
    )
    def test_what_ses_refuses(self, outbox: Outbox, request_: dict[str, Any], code: str) -> None:
        client = ses()
        with pytest.raises(ClientError) as refused:
            client.send_email(**request_)
        assert type(refused.value) is getattr(client.exceptions, code)
        assert outbox.list() == []

    def test_what_is_not_there_says_so(self, outbox: Outbox) -> None:
        with pytest.raises(ClientError, match="GetAccount is not part"):
            ses().get_account()


class TestSms:
    def test_to_a_number(self, outbox: Outbox) -> None:
        message_id = sns().publish(
            PhoneNumber="+491701234567",
            Message="Ihr Code: 123456",
            MessageAttributes={
                "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
                "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "Wattfare"},
            },
        )["MessageId"]
        [message] = outbox.list(to="+491701234567")
        assert (message.id, message.channel, message.sender) == (message_id, "sms", "Wattfare")
        assert (message.text, message.subject, message.html) == ("Ihr Code: 123456", None, None)
        assert message.at == START

    def test_without_a_sender(self, outbox: Outbox) -> None:
        sns().publish(PhoneNumber="+491701234567", Message="x")
        assert outbox.list()[0].sender == "NOTICE"

    @pytest.mark.parametrize(
        "request_",
        [
            {"PhoneNumber": "0170 1234567", "Message": "x"},
            {"PhoneNumber": "+0170", "Message": "x"},
            {"PhoneNumber": "+491701234567", "Message": ""},
            {"PhoneNumber": "+491701234567"},
            {"PhoneNumber": "+491701234567", "Message": "ü" * 801},
            {"TopicArn": "arn:aws:sns:eu-west-1:000000000000:alerts", "Message": "x"},
        ],
    )
    def test_what_sns_refuses(self, outbox: Outbox, request_: dict[str, str]) -> None:
        client = sns()
        with pytest.raises(client.exceptions.InvalidParameterException):
            client.publish(**request_)
        assert outbox.list() == []


def test_survives_a_restart(outbox: Outbox, clock: VirtualClock, tmp_path: Path) -> None:
    send(simple(), "ann@example.com")
    reopened = Outbox(clock.now, tmp_path / "messages.sqlite")
    assert reopened.list() == outbox.list()
    assert len(reopened.list()) == 1
    reopened.close()


def test_the_oldest_go_when_it_is_full(clock: VirtualClock) -> None:
    outbox = Outbox(clock.now)
    request = {"body": {"PhoneNumber": "+491701234567", "Message": "x"}}
    first = outbox.handle_sns("Publish", request)["MessageId"]
    for _ in range(KEPT):
        outbox.handle_sns("Publish", request)
    kept = {message.id for message in outbox.list(limit=2 * KEPT)}
    assert len(kept) == KEPT
    assert first not in kept
    assert len(outbox.list(to="+491701234567", limit=2 * KEPT)) == KEPT
    outbox.close()


def test_the_clients_are_given_back(clock: VirtualClock) -> None:
    outer, inner = Outbox(clock.now), Outbox(clock.now)
    give_back_outer, give_back_inner = outer.install(), inner.install()
    send(simple("one"), "ann@example.com")
    give_back_inner()
    send(simple("two"), "ann@example.com")
    give_back_outer()
    assert [message.subject for message in inner.list()] == ["one"]
    assert [message.subject for message in outer.list()] == ["two"]
    outer.close()
    inner.close()
