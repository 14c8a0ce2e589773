"""Frames without sockets: however the bytes are cut, the same messages come out."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode

from infra.local.gateway import framing
from infra.local.gateway.framing import Event, FrameDecoder, ProtocolFault


def heard(decoder: FrameDecoder, data: bytes) -> list[Event]:
    decoder.feed(data)
    events = []
    while (event := decoder.next_event()) is not None:
        events.append(event)
    return events


def client_frame(opcode: Opcode, payload: bytes, *, final: bool = True) -> bytes:
    """What the websockets package, an independent implementation, puts on the wire."""
    return Frame(opcode, payload, fin=final).serialize(mask=True, extensions=[])


TEXTS = st.lists(st.lists(st.text(max_size=200), min_size=1, max_size=4), max_size=5)


@given(TEXTS, st.lists(st.integers(1, 300), max_size=40))
def test_any_cut_of_the_stream_gives_the_same_messages(messages, cuts):
    stream = b""
    for parts in messages:
        for index, part in enumerate(parts):
            opcode = Opcode.TEXT if index == 0 else Opcode.CONT
            stream += client_frame(opcode, part.encode(), final=index == len(parts) - 1)
            stream += client_frame(Opcode.PING, b"between")
    decoder, events = FrameDecoder(), []
    for cut in cuts:
        events += heard(decoder, stream[:cut])
        stream = stream[cut:]
    events += heard(decoder, stream)
    assert [event.text for event in events if event.opcode == framing.TEXT] == ["".join(parts) for parts in messages]
    assert sum(event.opcode == framing.PING for event in events) == sum(len(parts) for parts in messages)


@given(st.binary(max_size=400))
def test_any_bytes_give_events_or_a_fault_with_a_code_that_may_be_sent(data):
    codes = []
    try:
        heard(FrameDecoder(), data)
    except ProtocolFault as fault:
        codes.append(fault.code)
    assert set(codes) <= {1002, 1003, 1007, 1009}


@given(st.binary(max_size=300))
def test_unmasking_twice_is_nothing(payload):
    mask = os.urandom(4)
    once = framing.unmask(payload, mask)
    assert framing.unmask(once, mask) == payload
    assert once == bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 32 * 1024, 32 * 1024 + 1, 65536, 128 * 1024])
def test_a_text_of_any_length_is_read_by_another_implementation(length):
    from websockets.client import ClientProtocol
    from websockets.protocol import OPEN
    from websockets.uri import parse_uri

    client = ClientProtocol(parse_uri("ws://example.invalid/"), max_size=None, state=OPEN)
    client.receive_data(framing.encode_text(b"x" * length))
    frames = client.events_received()
    assert b"".join(frame.data for frame in frames) == b"x" * length
    assert [frame.fin for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert all(len(frame.data) <= framing.FRAME_LIMIT_BYTES for frame in frames)


@pytest.mark.parametrize("code", [1005, 1006])
def test_codes_that_must_not_be_sent_become_an_empty_close(code):
    assert framing.encode_close(code) == b"\x88\x00"


def test_a_long_reason_is_cut_between_characters():
    frame = framing.encode_close(1001, "é" * 100)
    assert len(frame) - 2 <= 125
    assert Close.parse(frame[2:]) == Close(1001, "é" * 61)


def test_endless_empty_fragments_take_no_memory():
    decoder = FrameDecoder()
    heard(decoder, client_frame(Opcode.TEXT, b"a", final=False))
    empty = client_frame(Opcode.CONT, b"", final=False)
    heard(decoder, empty * 10_000)
    assert heard(decoder, client_frame(Opcode.CONT, b"b"))[0].text == "ab"


def test_an_oversized_frame_is_judged_by_its_header():
    with pytest.raises(ProtocolFault) as fault:
        heard(FrameDecoder(), b"\x81\xff" + (2**40).to_bytes(8, "big"))
    assert fault.value.code == 1009
