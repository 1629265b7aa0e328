"""Our walk names the same globals as CPython's own unpickler does, when that one is given inert stand-ins."""

import contextlib
import io
import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.lab.hostile_artefacts import GADGETS, SHAPES
from bartizan.lab.stdlib_calls import stdlib_calls
from bartizan.supply.allowed import canonical
from bartizan.supply.base import Budget
from bartizan.supply.walk import Walk


class Inert:
    """Stands for anything that a pickle names; calling it, or writing into it, does nothing."""

    def __new__(cls, *_, **__):
        """Take any arguments."""
        return object.__new__(cls)

    def __setstate__(self, state):
        """Take any state."""

    def __setitem__(self, key, value):
        """Take any item."""


class Watcher(pickle._Unpickler):
    """CPython's unpickler in Python: notes what is asked for and hands out a stand-in, so nothing is ever imported."""

    def __init__(self, data):
        """Read `data`."""
        super().__init__(io.BytesIO(data))
        self.asked = []

    def find_class(self, module, name):
        """Note it."""
        self.asked.append(".".join(canonical(module, name)))
        return Inert

    def persistent_load(self, pid):
        """Take any id."""
        return Inert()


def both(data):
    """Return what the unpickler asked for, what our walk names, and whether that read to the end."""
    watcher = Watcher(data)
    with contextlib.suppress(Exception):  # what counts is what it had asked for by then
        watcher.load()
    walk = Walk(memoryview(data), 0, Budget(), "x")
    finished = walk.run()
    return set(watcher.asked), set(walk.globals), finished


def test_the_corpus_names_the_same_globals():
    """Every shape with gadgets, and random calls."""
    samples = [make(module, name, text) for _, make in SHAPES for module, name, text in GADGETS[:6]]
    samples += [one.data for one in stdlib_calls(200, seed=3)]
    for data in samples:
        theirs, ours, _ = both(data)
        assert theirs <= ours, data


@settings(max_examples=300)
@given(st.data())
def test_changed_samples_hide_nothing(data):
    """Whatever CPython would still ask for in a damaged file, the walk names too, or says that it cannot be read.

    The unpickler in Python takes a name that the end of the file cuts off; the one in C refuses it.
    """
    _, make = data.draw(st.sampled_from(SHAPES))
    module, name, text = data.draw(st.sampled_from(GADGETS[:8]))
    raw = bytearray(make(module, name, text))
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    theirs, ours, finished = both(bytes(raw))
    assert theirs <= ours or not finished
