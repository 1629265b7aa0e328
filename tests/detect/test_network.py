"""The network in NumPy gives what it gave in training, and a text read in blocks gives what it gives whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.core.errors import BadArtifact
from bartizan.detect import network
from bartizan.detect.tokens import Tokens

WIDTH, WORDS, HIDDEN, DILATIONS, AROUND = 8, 50, 6, (1, 2, 4), 5


def weights(seed=1):
    """Return random weights of a small network, by their names in training."""
    draw = np.random.default_rng(seed)
    shapes = {"vectors.weight": (WORDS, WIDTH), "marks.weight": (6, WIDTH)}
    for at in range(len(DILATIONS)):
        shapes |= {
            f"steps.{at}.weight": (2 * WIDTH, 3 * WIDTH),
            f"steps.{at}.bias": (2 * WIDTH,),
            f"gains.{at}": (WIDTH,),
        }
    shapes |= {"hidden.weight": (HIDDEN, 2 * WIDTH), "hidden.bias": (HIDDEN,)}
    shapes |= {"answers.weight": (2, HIDDEN), "answers.bias": (2,)}
    return {name: draw.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def tokens(count, seed=1):
    """Return random tokens."""
    draw = np.random.default_rng(seed)
    places = np.arange(count, dtype=np.int32)
    return Tokens(draw.integers(0, WORDS, count, np.int32), draw.integers(0, 6, count, np.int8), places, places + 1)


SMALL = network.Network(weights(), DILATIONS, AROUND)


@pytest.mark.parametrize("count", [1, 3, 40, 300])
def test_numpy_and_torch_agree(count):
    """What was trained is what runs."""
    torch = pytest.importorskip("torch")
    from bartizan.lab.detector_training import Network, Shape

    taught = Network(Shape(WIDTH, DILATIONS, AROUND, HIDDEN), np.zeros((WORDS, WIDTH), np.float32))
    taught.load_state_dict({name: torch.from_numpy(one) for name, one in weights().items()})
    taught.eval()
    text = tokens(count)
    ids, marks = (torch.from_numpy(one[None].astype(np.int64)) for one in (text.ids, text.marks))
    with torch.no_grad():
        expected = taught(ids, marks)[0].numpy()
    np.testing.assert_allclose(SMALL.scores(text), expected, rtol=1e-3, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(100, 400))
def test_blocks_give_what_the_whole_gives(size, count):
    """A score depends on `reach` tokens to each side and no more."""
    text = tokens(count, size)
    expected = SMALL.scores(text)
    before = network.BLOCK
    network.BLOCK = size
    try:
        np.testing.assert_allclose(SMALL.scores(text), expected, rtol=1e-3, atol=1e-4)
    finally:
        network.BLOCK = before


def test_what_is_saved_is_what_is_loaded(tmp_path):
    """Up to the rounding that makes the file small."""
    network.save(tmp_path, weights())
    loaded = network.load(tmp_path, DILATIONS, AROUND)
    text = tokens(50)
    np.testing.assert_allclose(loaded.scores(text), SMALL.scores(text), atol=0.2)


def test_a_folder_without_a_network_is_refused(tmp_path):
    """In one line that names the folder."""
    with pytest.raises(BadArtifact, match=r"expected network\.npz"):
        network.load(tmp_path, DILATIONS, AROUND)
