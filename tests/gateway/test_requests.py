"""Requests out of bytes: the same whatever the cuts, and one refusal for what could be read in two ways."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.gateway.call import Answer
from bartizan.gateway.requests import SMALL, Bounds, Reading, RequestReader, Room

POST = b'POST /v1/messages?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"a":1}'
CHUNKED = (
    b'POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\n\r\n'
)
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
OFFER = POST.replace(b"Host: x", b"Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c")


def reader(*, body_bytes=1000, admits=lambda headers: "", room=None, **bounds):
    def refusal(path, status, code, message):
        return Answer(status, [], b"")

    return RequestReader(Reading(Bounds(**bounds), body_bytes, refusal, admits, room or Room(0)), "1.2.3.4")


def seen(found):
    return [
        (one.call.method, one.call.target, one.call.body, one.keep) if one.call else one.answer.status for one in found
    ]


@pytest.mark.parametrize("data", [POST + CHUNKED + GET + POST, GET * 50, OFFER])
def test_the_cuts_change_nothing(data):
    """Whole, byte by byte, and at random places."""
    whole = seen(reader().feed(data))
    assert all(isinstance(one, tuple) for one in whole)
    draw = random.Random(3)
    for pieces in (len(data), 2, 5, 40):
        cuts = sorted({0, len(data), *(draw.randrange(len(data)) for _ in range(pieces))})
        parts = [data[i : i + 1] for i in range(len(data))] if pieces == len(data) else []
        parts = parts or [data[start:end] for start, end in itertools.pairwise(cuts)]
        by_part = reader()
        assert seen([one for part in parts for one in by_part.feed(part)]) == whole


def test_an_offer_of_another_protocol_is_declined_and_its_body_read():
    """And nothing is read after it."""
    one = reader()
    assert seen(one.feed(OFFER + GET)) == [("POST", "/v1/messages?a=b", b'{"a":1}', False)]
    assert one.over
    assert not one.unread
    assert seen(reader().feed(OFFER.replace(b"Content-Length: 7", b"Transfer-Encoding: chunked"))) == [400]
    assert seen(reader().feed(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")) == [400]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (POST.replace(b"Content-Length: 7", b"Content-Length: 7\r\nTransfer-Encoding: chunked"), 400),
        (POST.replace(b"Content-Length: 7", b"Content-Length: 7\r\nContent-Length: 8"), 400),
        (POST.replace(b"Content-Length: 7", b"Content-Length: +7"), 400),
        (POST.replace(b"Content-Length: 7", b"Content-Length : 7"), 400),
        (POST.replace(b"Content-Length: 7", b"Transfer-Encoding: xchunked"), 400),
        (POST.replace(b"Content-Length: 7", b"Content-Length: 1001"), 413),
        (POST.replace(b"Content-Length: 7", b"Content-Length: 99999999999999999999"), 400),
        (POST.replace(b"Host: x", b"Host: x\x00y"), 400),
        (GET.replace(b"/healthz", b"/healthz#a"), 400),
        (GET * 101, 429),
        (b"GET /healthz\r\n\r\n", 505),
        (b"\x00\x01\x02", 400),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_and_is_the_last(data, status):
    """One refusal, no request after it."""
    one = reader()
    assert seen(one.feed(data))[-1] == status
    assert one.over
    assert one.unread
    assert one.feed(GET) == []


def test_heads_are_bounded():
    """Endless lines, many lines, a long address."""
    assert seen(reader(head_bytes=100).feed(GET[:-2] + b"a: " + b"b" * 200)) == [431]
    assert seen(reader(head_bytes=100).feed(GET[:-2] + b"a: " + b"b" * 200 + b"\r\n\r\n")) == [431]
    assert seen(reader(head_lines=5).feed(GET[:-2] + b"a: b\r\n" * 6 + b"\r\n")) == [431]
    assert seen(reader(url_bytes=5).feed(GET)) == [414]


@given(st.binary(max_size=300), st.integers(0, len(POST)))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_reader(noise, place):
    """Whatever stands where: requests or one refusal."""
    one = reader()
    for found in seen(one.feed(POST[:place] + noise + POST[place:] + GET)):
        assert isinstance(found, int | tuple)


def post(size, chunked):
    """A request with a body of so many bytes."""
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    head = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n"
    return head, (b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size) if chunked else b"x" * size)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_large_body_needs_a_key_and_room(chunked):
    """A small one needs neither. What is held is counted until it is answered, or forgotten."""
    head, body = post(SMALL + 1000, chunked)
    room = Room(1500)
    stranger, other = (reader(body_bytes=1 << 20, room=room, admits=lambda headers: "no key") for _ in range(2))
    assert seen(stranger.feed(head) or stranger.feed(body)) == [401]
    assert len(other.feed(b"".join(post(SMALL, chunked)))[0].call.body) == SMALL
    one, two = reader(body_bytes=1 << 20, room=room), reader(body_bytes=1 << 20, room=room)
    assert not one.feed(head)
    [asked] = one.feed(body)
    assert (asked.held, room.used, len(asked.call.body)) == (1000, 1000, SMALL + 1000)
    assert not two.feed(head)
    [full] = two.feed(body)
    assert (full.answer.status, full.answer.headers, room.used) == (503, [(b"retry-after", b"1")], 1000)
    room.give(asked.held)
    three = reader(body_bytes=1 << 20, room=room)
    three.feed(head + body[:-10])
    assert room.used > 900
    three.drop()
    assert room.used == 0
