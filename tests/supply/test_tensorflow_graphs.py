"""Every operation of a graph is judged, wherever it hides; a model that was merely exported is clean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.supply.wire import attribute, calls, field, graph, node, ordinary, saved

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes
from bartizan.supply.tensorflow_graphs import is_graph, is_saved_model, saved_model


def scan(data):
    """Return the result for the bytes of a file."""
    return scan_bytes(memoryview(data), "model/saved_model.pb", Budget())


def test_an_exported_model_is_clean():
    """With the saver that every export carries."""
    result = scan(saved(ordinary()))
    assert (result.format, result.verdict, result.findings) == ("saved-model", Verdict.CLEAN, ())


@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "PyFunc", "MatchingFiles"])
@pytest.mark.parametrize("place", ["main", "function", "hidden string", "hidden tensor", "twice hidden"])
def test_what_acts_on_the_world_is_found_wherever_it_is(op, place):
    """In the graph, in functions, in graphs that are strings of other graphs."""
    evil = node(op, "evil", ["x"])
    inner = graph(evil)
    tensor = field(8, field(8, inner))
    twice = graph(node("Const", "c", (), attribute("value", tensor)))
    whole = {
        "main": graph(evil),
        "function": graph(node("NoOp"), functions=(("f", (evil,)),)),
        "hidden string": graph(node("DatasetFromGraph", "d", (), attribute("graph_def", field(2, inner)))),
        "hidden tensor": twice,
        "twice hidden": graph(node("Const", "c", (), attribute("value", field(2, twice)))),
    }[place]
    result = scan(saved(whole))
    assert result.verdict is Verdict.BLOCK
    assert any(op in one.why for one in result.findings)


def test_an_operation_given_twice_is_judged_twice():
    """Readers take the last one; the first may be a disguise."""
    assert scan(saved(graph(field(1, "n") + field(2, "Relu") + field(2, "ReadFile")))).verdict is Verdict.BLOCK
    assert scan(saved(graph(field(1, "n") + field(2, "ReadFile") + field(2, "Relu")))).verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    "whole",
    [
        graph(node("Const", "path"), node("SaveV2", "s", ["path"])),
        graph(node("Placeholder", "serving_default_x"), node("RestoreV2", "r", ["serving_default_x"])),
        graph(node("SaveV2", "s")),
        graph(
            node("Const", "path"),
            node("StatefulPartitionedCall", "c", ["path"], calls("save")),
            functions=(("save", (node("SaveV2", "s", ["prefix"]),)),),
        ),
        graph(
            node("Placeholder", "saver_filename"),
            node("StatefulPartitionedCall", "c", ["saver_filename"], calls("serve")),
            functions=(
                ("save", (node("SaveV2", "s", ["prefix"]),)),
                ("serve", (node("PartitionedCall", "c", ["prefix"], calls("save")),)),
            ),
        ),
    ],
    ids=["constant", "from a request", "nothing", "constant through a function", "from another function"],
)
def test_saving_under_another_name_than_the_savers_is_blocked(whole):
    """The saver may write where it is told, a model may not choose."""
    assert scan(saved(whole)).verdict is Verdict.BLOCK


def test_an_operation_on_no_list_is_for_a_person():
    """Neither passed nor called hostile."""
    assert scan(saved(graph(node("SomebodysOperation")))).verdict is Verdict.REVIEW


def test_an_asset_outside_of_the_folder_is_blocked():
    """And one inside is not."""
    assert scan(saved(ordinary(), asset="../../etc/passwd")).verdict is Verdict.BLOCK
    assert scan(saved(ordinary(), asset="vocab.txt")).verdict is Verdict.CLEAN


def test_a_graph_on_its_own_is_read_too():
    """A frozen graph."""
    assert scan(graph(node("ReadFile"))).verdict is Verdict.BLOCK
    assert scan(graph(node("Relu"))).verdict is Verdict.CLEAN


def test_graphs_in_graphs_end():
    """Nesting without end is not followed without end."""
    inner = graph(node("Relu"))
    for _ in range(40):
        inner = graph(node("Const", "c", (), attribute("value", field(2, inner))))
    assert scan(saved(inner)).verdict is Verdict.UNREADABLE


def test_a_model_cut_off_is_never_clean():
    """At whatever byte."""
    whole = saved(ordinary())
    verdicts = {scan(whole[:size]).verdict for size in range(1, len(whole), 7)}
    assert Verdict.CLEAN not in verdicts


def test_what_is_no_graph_is_not_taken_for_one():
    """Text and tensors."""
    for data in (b"hello world", b"\x00" * 100, b"\x0a\x03abc"):
        assert not is_graph(memoryview(data))
        assert not is_saved_model(memoryview(data))


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data):
    """As the inside of a SavedModel."""
    saved_model(memoryview(field(1, 1) + field(2, data)), "x", Budget())
    saved_model(memoryview(saved(field(1, data))), "x", Budget())


@pytest.mark.parametrize("more", [field(7, field(2, "g")) + field(8, field(2, 17)), field(99, "x"), field(1, graph())])
@pytest.mark.parametrize("padding", [b"", field(99, 1)])
def test_fields_of_another_format_hide_nothing(more, padding):
    """TensorFlow ignores fields that it does not know, so they must not turn a graph into something else."""
    evil = graph(node("ReadFile")) + padding
    assert scan(saved(evil) + more).verdict is Verdict.BLOCK
    assert scan(more + saved(evil)).verdict is Verdict.BLOCK
