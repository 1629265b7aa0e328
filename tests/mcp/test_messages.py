"""Messages: what may be read in two ways is refused; what is written is what was read."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.mcp.messages import (
    INVALID_REQUEST,
    PARSE_ERROR,
    Answer,
    Malformed,
    Notification,
    Request,
    key_of,
    read,
    refusal,
    written,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def test_requests_notifications_and_answers_are_told_apart():
    """By method and id, as JSON-RPC has it."""
    assert read(b'{"jsonrpc":"2.0","id":1,"method":"ping"}') == Request(1, "ping", {})
    assert read(b'{"jsonrpc":"2.0","method":"notifications/initialized"}') == Notification(
        "notifications/initialized", {}
    )
    assert read(b'{"jsonrpc":"2.0","id":"a","result":{}}') == Answer("a", result={})
    assert read(b'{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}').id is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', PARSE_ERROR),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"} {}', PARSE_ERROR),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1}}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"result":[]}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":""}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":NaN}}', PARSE_ERROR),
        (b'\xff{"jsonrpc":"2.0"}', PARSE_ERROR),
        (b"not json", PARSE_ERROR),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":' + b"[" * 80 + b"]" * 80 + b"}}", INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":' + b"[" * 9000 + b"]" * 9000 + b"}}", PARSE_ERROR),
    ],
)
def test_what_is_ambiguous_or_no_message_is_refused(raw, code):
    """Batches, keys twice, look-alike keys, odd ids, answers that ask, depth."""
    with pytest.raises(Malformed) as refused:
        read(raw)
    assert refused.value.code == code


def test_size_and_breadth_are_bounded():
    """A message over the limit is not parsed; one of very many parts is refused."""
    with pytest.raises(Malformed, match="at most 10"):
        read(b'{"jsonrpc":"2.0","id":1,"method":"ping"}', 10)
    wide = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"a": [0] * 200_001}}).encode()
    with pytest.raises(Malformed, match="parts"):
        read(wide)


def test_a_refusal_keeps_the_id_when_it_can_be_told():
    """So that the client that waits hears of it."""
    with pytest.raises(Malformed) as refused:
        read(b'{"jsonrpc":"2.0","id":7,"method":"x","params":[1]}')
    assert refused.value.id == 7
    assert refusal(7, 1, "no", {"a": 1}).error == {"code": 1, "message": "no", "data": {"a": 1}}


def test_a_number_and_its_text_are_two_ids():
    """1 and "1" are different requests."""
    assert key_of(1) != key_of("1")


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4), st.integers(-(2**31), 2**31) | st.text(max_size=9))
def test_what_is_written_is_one_line_and_reads_back(params, id_):
    """Nothing in a message can end its line and begin another."""
    for message in (Request(id_, "m", params), Notification("m", params), Answer(id_, result=params)):
        raw = written(message)
        assert b"\n" not in raw
        assert b"\r" not in raw
        assert read(raw) == message


@given(st.binary(max_size=200) | JSON.map(lambda tree: json.dumps(tree).encode()))
def test_whatever_arrives_is_a_message_or_malformed(raw):
    """The reader never fails in another way."""
    with contextlib.suppress(Malformed):
        assert isinstance(read(raw), Request | Notification | Answer)
