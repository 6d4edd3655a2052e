"""The rpc codec: both ends meet in memory; whatever comes, it ends in a message or a RemoteProtocolError."""

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol import rpc
from engine.protocol.errors import RemoteProtocolError
from engine.protocol.rpc import ReplyDecoder, Request, RequestDecoder

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)
names = st.text(min_size=1, max_size=40)


def chunked(data: bytes, sizes: list[int]):
    """Cut ``data`` into pieces of the given sizes, over and over."""
    at, turn = 0, 0
    while at < len(data):
        yield data[at : at + sizes[turn % len(sizes)]]
        at += sizes[turn % len(sizes)]
        turn += 1


# Bytes recorded from the genuine carla 0.9.16 client's first call.
RECORDED = bytes.fromhex("940001a776657273696f6e9191c2")


def test_the_genuine_clients_first_bytes_are_a_request():
    assert list(RequestDecoder().feed(RECORDED)) == [Request(1, "version", False, [])]
    assert rpc.encode_request(1, "version") == RECORDED


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), names, st.booleans(), st.lists(plain, max_size=4)), max_size=5),
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_requests_survive_any_segmentation(calls, sizes):
    stream = b"".join(rpc.encode_request(i, name, *args, is_async=a) for i, name, a, args in calls)
    decoder = RequestDecoder()
    got = [request for chunk in chunked(stream, sizes) for request in decoder.feed(chunk)]
    assert got == [Request(i, name, a, args) for i, name, a, args in calls]


@given(st.integers(0, 2**32 - 1), plain, st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_replies_survive_any_segmentation(msgid, value, sizes):
    decoder = ReplyDecoder()
    stream = rpc.encode_reply(msgid, rpc.ok(value))
    (reply,) = [reply for chunk in chunked(stream, sizes) for reply in decoder.feed(chunk)]
    assert (reply.msgid, reply.error, reply.result) == (msgid, None, [[1, value]])


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(1, 30), min_size=1, max_size=4))
@settings(max_examples=500)
def test_garbage_is_a_message_or_a_protocol_error(data, sizes):
    decoder = RequestDecoder()
    try:
        for chunk in chunked(data, sizes):
            for request in decoder.feed(chunk):
                assert isinstance(request, Request)
    except RemoteProtocolError:
        pass


@given(st.binary(max_size=120))
@settings(max_examples=300)
def test_garbage_behind_a_valid_start_is_a_message_or_a_protocol_error(tail):
    decoder = RequestDecoder()
    try:
        for request in decoder.feed(b"\x94\x00" + tail):
            assert isinstance(request.arguments, list)
    except RemoteProtocolError:
        pass


@pytest.mark.parametrize(
    "message",
    [
        [0, 1, "version"],
        [0, 1, "version", []],
        [0, 1, "version", [False]],
        [1, 1, None, [[1, 2]]],
        [2, 1, "version", [[False]]],
        [0, -1, "version", [[False]]],
        [0, 2**32, "version", [[False]]],
        [0, 1.5, "version", [[False]]],
        [0, 1, b"version", [[False]]],
        [0, 1, None, [[False]]],
        [0, 1, "x" * 10_000, [[False]]],
        [0, 1, "version", {"a": 1}],
        [False, 1, "version", [[False]]],
        "version",
        {0: 1},
        7,
    ],
)
def test_what_is_not_a_request_is_refused(message):
    with pytest.raises(RemoteProtocolError):
        list(RequestDecoder().feed(msgpack.packb(message)))


def test_an_array_that_announces_too_much_is_refused_at_once():
    with pytest.raises(RemoteProtocolError):
        list(RequestDecoder().feed(b"\x94\x00\x01\xa1x\xdd\xff\xff\xff\xff"))  # 4 Gi elements


def test_a_message_above_the_limit_is_refused_before_it_is_complete():
    decoder = RequestDecoder(limit=1000)
    assert list(decoder.feed(b"\x94\x00\x01\xdb\xff\xff\xff\xff")) == []  # a string of 4 GiB begins
    with pytest.raises(RemoteProtocolError):
        [list(decoder.feed(bytes(100))) for _ in range(20)]


def test_nested_arrays_that_announce_much_cost_little():
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RemoteProtocolError):
        list(RequestDecoder().feed(b"\x94\x00\x01\xa1x" + b"\xdd\x00\xff\xff\xff" * 2000))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_text_that_is_not_utf8_comes_back_as_the_same_bytes():
    raw = b"\x94\x00\x01\xa1x\x92\x91\xc2\xa3a\xffb"
    (request,) = RequestDecoder().feed(raw)
    reply = rpc.encode_reply(1, rpc.ok(request.arguments[0]))
    assert reply.endswith(b"\xa3a\xffb")


def test_wrapping_is_carlas():
    assert rpc.encode_reply(7, rpc.ok(5)) == bytes.fromhex("940107c0") + msgpack.packb([[1, 5]])
    assert msgpack.unpackb(rpc.encode_reply(7, rpc.VOID_OK)) == [1, 7, None, [[False]]]
    assert msgpack.unpackb(rpc.encode_reply(7, rpc.error("no"))) == [1, 7, None, [[0, ["no"]]]]
    assert msgpack.unpackb(rpc.encode_reply(7, rpc.void_error("no"))) == [1, 7, None, [[True, ["no"]]]]
