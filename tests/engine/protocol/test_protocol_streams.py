"""Tokens, subscriptions, stream frames and sensor headers."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.errors import LocalProtocolError, RemoteProtocolError
from engine.protocol.streams import (
    HEADER_BYTES,
    FrameDecoder,
    SensorHeader,
    SubscriptionDecoder,
    Token,
    decode_header,
    decode_token,
    encode_frame,
    encode_sensor_message,
    encode_subscription,
    encode_token,
)


def test_token_layout_is_carlas():
    data = encode_token(Token(0x01020304, 2001, "127.0.0.1"))
    assert len(data) == 24
    assert data[:4] == b"\x04\x03\x02\x01"  # u32 stream id
    assert struct.unpack("<H", data[4:6]) == (2001,)
    assert data[6] == 1  # TCP
    assert data[7] == 1  # IPv4
    assert data[8:12] == b"\x7f\x00\x00\x01"
    assert encode_token(Token(1, 2001))[7:] == bytes(17)  # no address: the client's own host


@given(st.integers(0, 2**32 - 1), st.integers(0, 65535), st.none() | st.ip_addresses().map(str))
def test_tokens_round_trip(stream_id, port, address):
    token = Token(stream_id, port, address)
    assert decode_token(encode_token(token)) == token


def test_bad_tokens_are_refused():
    for data in (b"", bytes(23), bytes(24), encode_token(Token(1, 2))[:6] + b"\x02" + bytes(17)):
        with pytest.raises(RemoteProtocolError):
            decode_token(data)


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=6), st.integers(1, 40))
def test_frames_survive_any_segmentation(payloads, size):
    stream = b"".join(map(encode_frame, payloads))
    decoder = FrameDecoder()
    assert [p for i in range(0, len(stream), size) for p in decoder.feed(stream[i : i + size])] == payloads


def test_an_empty_frame_is_never_sent():
    with pytest.raises(LocalProtocolError):
        encode_frame(b"")  # the client would drop the connection


def test_a_frame_above_the_limit_is_refused():
    with pytest.raises(RemoteProtocolError, match="limit 10"):
        list(FrameDecoder(limit=10).feed(struct.pack("<I", 11)))


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_a_subscription_is_four_bytes_however_they_come(stream_id, cut):
    data = encode_subscription(stream_id)
    decoder = SubscriptionDecoder()
    assert decoder.feed(data[:cut]) is None
    assert decoder.feed(data[cut:]) == stream_id


@given(st.binary(min_size=5, max_size=50))
def test_a_subscriber_that_goes_on_talking_is_refused(data):
    with pytest.raises(RemoteProtocolError):
        SubscriptionDecoder().feed(data)
    decoder = SubscriptionDecoder()
    decoder.feed(data[:4])
    with pytest.raises(RemoteProtocolError):
        decoder.feed(data[4:])


def test_sensor_header_layout_is_carlas():
    header = SensorHeader(11, 1841, 92.05, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    message = encode_sensor_message(header, b"body")
    assert struct.unpack_from("<I", message) == (HEADER_BYTES + 4,)
    assert HEADER_BYTES == 48
    assert struct.unpack_from("<QQd6f", message, 4) == (11, 1841, 92.05, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert message.endswith(b"body")
    assert decode_header(message[4:]) == header
    with pytest.raises(RemoteProtocolError):
        decode_header(b"short")
