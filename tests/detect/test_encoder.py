"""The encoder in NumPy gives what it gave in training, also from its file."""

import numpy as np
import pytest

from bartizan.core.errors import BadArtifact
from bartizan.detect import encoder
from bartizan.detect.encoder import SPAN, Encoder
from bartizan.detect.tokens import SPECIAL, Tokens

PIECES, OTHERS, NARROW, WIDTH = 30, SPECIAL + 10, 4, 24


def tensors(layers=2, seed=1, width=WIDTH):
    """Return random tensors of a sentence encoder by their published names."""
    draw = np.random.default_rng(seed)
    shapes = {
        "embeddings.position_embeddings.weight": (SPAN + 10, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    for at in range(layers):
        name = f"encoder.layer.{at}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{name}{part}.weight": (width, width), f"{name}{part}.bias": (width,)}
        shapes |= {
            f"{name}intermediate.dense.weight": (4 * width, width),
            f"{name}intermediate.dense.bias": (4 * width,),
            f"{name}output.dense.weight": (width, 4 * width),
            f"{name}output.dense.bias": (width,),
        }
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{name}{part}.weight": (width,), f"{name}{part}.bias": (width,)}
    return {name: draw.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def taught():
    """Return a small encoder as training leaves it."""
    torch = pytest.importorskip("torch")
    from bartizan.lab.encoder_training import begun

    torch.manual_seed(1)
    draw = np.random.default_rng(2)
    pieces, others, ends = (
        draw.normal(0, 0.5, shape).astype(np.float32) for shape in ((PIECES, WIDTH), (OTHERS, NARROW), (2, WIDTH))
    )
    return begun(pieces, others, tensors(), ends, 2).eval()


def weights_of(taught):
    """Return the weights by name."""
    return {name: one.detach().numpy() for name, one in taught.state_dict().items()}


def tokens(count, seed=1):
    """Return random tokens: special ones, pieces and others."""
    draw = np.random.default_rng(seed)
    ids = draw.integers(0, PIECES + OTHERS, count, np.int32)
    return Tokens(ids, draw.integers(0, 6, count, np.int8), ids, ids)


def answered(taught, text):
    """Return what the encoder said in training, beside a shorter text in the same batch."""
    import torch

    ids = torch.full((2, len(text.ids)), -1, dtype=torch.long)
    ids[0], ids[1, :1] = torch.from_numpy(text.ids.astype(np.int64)), 3
    marks = torch.zeros_like(ids)
    marks[0] = torch.from_numpy(text.marks.astype(np.int64))
    with torch.no_grad():
        return taught(ids, marks, torch.tensor([len(text.ids), 1]))[0].numpy()


@pytest.mark.parametrize("count", [1, 2, 40, SPAN])
def test_numpy_and_torch_agree(taught, count):
    """What was trained is what runs; padding does not count."""
    text = tokens(count)
    np.testing.assert_allclose(Encoder(weights_of(taught)).scores(text), answered(taught, text), atol=2e-3)


def test_a_window_is_read_from_its_first_token(taught):
    """At most `SPAN` tokens from there."""
    text = tokens(2 * SPAN)
    part = Tokens(text.ids[50 : 50 + SPAN], text.marks[50 : 50 + SPAN], text.starts, text.ends)
    ours = Encoder(weights_of(taught))
    np.testing.assert_array_equal(ours.scores(text, 50), ours.scores(part))


def test_what_is_saved_is_what_is_loaded(taught, tmp_path):
    """Up to the rounding that makes the file small."""
    encoder.save(tmp_path, weights_of(taught))
    np.testing.assert_allclose(
        encoder.load(tmp_path).scores(tokens(60)), Encoder(weights_of(taught)).scores(tokens(60)), atol=0.05
    )


def test_large_matrices_are_kept_as_whole_numbers(tmp_path):
    """With one scale a row, so that a row of small numbers keeps its digits."""
    matrix = np.concatenate((np.full((1, 400), 1e-3), np.random.default_rng(1).normal(0, 9, (400, 400))))
    encoder.save(tmp_path, {"x.weight": matrix.astype(np.float32)})
    with np.load(tmp_path / "encoder.npz") as file:
        assert file["x.weight"].dtype == np.int8
        back = file["x.weight"] * file["x.weight.scale"][:, None]
    np.testing.assert_allclose(back[0], matrix[0], rtol=0.01)
    np.testing.assert_allclose(back, matrix, atol=np.abs(matrix).max() / 200)


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    """In one line that names the folder."""
    with pytest.raises(BadArtifact, match=r"expected encoder\.npz"):
        encoder.load(tmp_path)


def test_fewer_tokens_may_be_looked_at(taught):
    """A close look is a look at those tokens alone."""
    text = tokens(60)
    quick = Encoder(weights_of(taught))
    part = Tokens(text.ids[20:40], text.marks[20:40], text.starts[20:40], text.ends[20:40])
    np.testing.assert_array_equal(quick.scores(text, 20, 20), quick.scores(part))


def test_training_may_go_on_from_a_file(taught, tmp_path):
    """The weights come back as they were, but for the rounding of the file."""
    from bartizan.lab.encoder_training import resumed

    encoder.save(tmp_path, weights_of(taught))
    again = resumed(encoder.weights(tmp_path)).eval()
    np.testing.assert_allclose(answered(again, tokens(30)), answered(taught, tokens(30)), atol=0.02)
