"""Training the encoder: learns a rule, is repeatable, leaves the word pieces alone, asks only what a window answers."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from tests.detect.test_encoder import NARROW, OTHERS, PIECES, WIDTH, tensors  # noqa: E402

from bartizan.detect import encoder  # noqa: E402
from bartizan.detect.tokens import SPECIAL  # noqa: E402
from bartizan.lab import encoder_training  # noqa: E402
from bartizan.lab.detector_training import Sample  # noqa: E402
from bartizan.lab.encoder_training import (  # noqa: E402
    HEADS,
    SPAN,
    EncoderPlan,
    begun,
    loss_of,
    resumed,
    stacked,
    train_encoder,
)
from bartizan.lab.examples import UNASKED  # noqa: E402

PLAN = EncoderPlan(layers=1, passes=30, rate=3e-3, tokens_a_batch=400, drop=0.0)


def start():
    """Return an untrained encoder, always the same."""
    torch.manual_seed(1)
    draw = np.random.default_rng(2)
    shapes = ((PIECES, WIDTH), (OTHERS, NARROW), (2, WIDTH))
    pieces, others, ends = (draw.normal(0, 0.5, shape).astype(np.float32) for shape in shapes)
    return begun(pieces, others, tensors(1), ends, 1)


def windows(count, seed):
    """Return windows that are attacks exactly when they hold piece 5."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(count):
        ids = (SPECIAL + draw.integers(6, PIECES, int(draw.integers(4, 20)))).astype(np.int32)
        if number % 2:
            ids[int(draw.integers(len(ids)))] = SPECIAL + 5
        found.append(Sample(ids, np.zeros(len(ids), np.int8), number % 2, UNASKED))
    return found


def test_a_rule_is_learned_and_holds_on_new_windows():
    """One piece decides, wherever it stands."""
    network = start()
    train_encoder(network, windows(400, 1), PLAN)
    network.eval()
    fresh = windows(100, 2)
    with torch.no_grad():
        said = network(*stacked(fresh))[:, 0].numpy()
    assert np.mean((said > -1) == (np.arange(100) % 2 == 1)) > 0.95


def test_the_same_seed_gives_the_same_weights_and_pieces_stay():
    """On one machine; words that training never shows keep their place among the others."""
    before = start().pieces.weight.detach().numpy().copy()
    first, second = (train_encoder(start(), windows(60, 1), EncoderPlan(layers=1)) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert np.array_equal(first["pieces.weight"], before)
    assert not np.array_equal(first["answers.weight"], start().answers.weight.detach().numpy())


def test_what_is_not_asked_costs_nothing_and_a_sure_innocent_neither():
    """A user's window says nothing about planted orders; the penalty begins above the margin."""
    truth, one = torch.tensor([[1, UNASKED]]), torch.ones(1)
    low, high = (float(loss_of(torch.tensor([[3.0, other]]), truth, one, PLAN)) for other in (-9.0, 9.0))
    assert low == high
    innocent = torch.tensor([[0, UNASKED]])
    mild, harsh = (
        float(loss_of(torch.tensor([[2.0, 0.0]]), innocent, one, EncoderPlan(energy=energy))) for energy in (0.0, 0.1)
    )
    assert harsh == pytest.approx(mild + 0.1 * 36)


def test_training_and_running_agree_on_the_form_of_a_window():
    """Neither imports the other."""
    assert (SPAN, HEADS) == (encoder.SPAN, encoder.HEADS)
    assert encoder_training.SPECIAL == SPECIAL


def test_an_encoder_grows_by_layers_of_the_one_it_began_from():
    """Its own layers stay as they were taught; the new one is MiniLM's at that depth."""
    taught = train_encoder(start(), windows(40, 1), replace(PLAN, passes=2))
    grown = {name: one.numpy() for name, one in resumed(taught, tensors(2), 2).state_dict().items()}
    assert all(np.array_equal(grown[name], one) for name, one in taught.items())
    assert np.array_equal(grown["layers.1.widen.weight"], tensors(2)["encoder.layer.1.intermediate.dense.weight"])
    assert set(resumed(taught, tensors(2), 1).state_dict()) == set(taught)
