"""Columns are told by their names and by what stands in them."""

import json

import polars as pl

from bartizan.data.columns import columns


def test_class_texts_and_values():
    """A row without a class has -1."""
    frame = pl.DataFrame({"review": ["a long enough text", "another one of these"] * 3, "stars": [1.0, 2.0, None] * 2})
    found = columns(frame.with_columns(id=pl.Series(["x", "y"] * 3)), "stars")
    assert list(found.texts) == ["review"]
    assert found.labels.tolist() == [0, 1, -1, 0, 1, -1]
    assert found.names == ("1.0", "2.0")
    assert found.values.columns == ["id"]
    assert (found.prompts, found.answers, found.asked) == ([], [], ())


def test_a_column_of_many_values_is_no_class():
    """Nor is one that has a single value, or none at all."""
    frame = pl.DataFrame({"n": list(range(50)), "one": ["x"] * 50})
    assert columns(frame, "n").labels is None
    assert columns(frame, "one").labels is None
    assert columns(frame, "").labels is None


def test_instructions_with_inputs_are_one_prompt():
    """In the order of the columns; an empty input is no harm."""
    frame = pl.DataFrame(
        {
            "instruction": ["say this in French please", "add all these numbers up"],
            "input": ["the cat sat down here", None],
            "output": ["le chat est assis ici", "the sum is four now"],
        }
    )
    found = columns(frame, "")
    assert found.prompts == ["say this in French please\nthe cat sat down here", "add all these numbers up\n"]
    assert found.answers == frame["output"].to_list()
    assert found.asked == ("instruction", "input")


def test_conversations_are_taken_apart():
    """Both usual spellings; what is no conversation is empty."""
    rows = [
        json.dumps([{"role": "system", "content": "be kind"}, {"role": "assistant", "content": "yes"}]),
        json.dumps([{"from": "human", "value": "why is that"}, {"from": "gpt", "value": "because of this"}]),
        "not JSON at all here",
        None,
    ]
    found = columns(pl.DataFrame({"conversations": rows}), "")
    assert found.prompts == ["be kind", "why is that", "", ""]
    assert found.answers == ["yes", "because of this", "", ""]
    assert found.asked == ("conversations (prompts)",)
