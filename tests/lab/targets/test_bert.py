"""The passage is that of torch's own encoder layer with the same weights; pieces are the longest that fit."""

import json
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bartizan.core.errors import BadArtifact
from bartizan.lab.targets.bert import load, pieces_of

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "play", "##ing", "##er", "plan", "a", ",", "4", "##2", "cafe"]
WIDTH, HEADS = 8, 2


@pytest.fixture(scope="module")
def layer():
    """One layer of torch's own."""
    torch.manual_seed(1)
    return torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, 16, dropout=0, activation="gelu", layer_norm_eps=1e-12, batch_first=True
    ).eval()


@pytest.fixture
def folder(tmp_path, layer):
    """The files of an encoder of that layer, by the names that BERT gives them."""
    weights, own = {}, layer.state_dict()
    query, key, value = own["self_attn.in_proj_weight"].chunk(3)
    biases = own["self_attn.in_proj_bias"].chunk(3)
    for name, weight, bias in zip(("query", "key", "value"), (query, key, value), biases, strict=True):
        weights |= {f"attention.self.{name}.weight": weight, f"attention.self.{name}.bias": bias}
    names = {
        "attention.output.dense": "self_attn.out_proj",
        "attention.output.LayerNorm": "norm1",
        "intermediate.dense": "linear1",
        "output.dense": "linear2",
        "output.LayerNorm": "norm2",
    }
    weights |= {f"{a}.{part}": own[f"{b}.{part}"] for a, b in names.items() for part in ("weight", "bias")}
    tensors = {f"bert.encoder.layer.0.{name}": one.contiguous() for name, one in weights.items()}
    tables = {"word": len(PIECES), "position": 128, "token_type": 2}
    for name, size in tables.items():
        tensors[f"bert.embeddings.{name}_embeddings.weight"] = torch.randn(size, WIDTH)
    tensors |= {
        "bert.embeddings.LayerNorm.weight": torch.ones(WIDTH),
        "bert.embeddings.LayerNorm.bias": torch.zeros(WIDTH),
    }
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    (tmp_path / "config.json").write_text(json.dumps({"num_attention_heads": HEADS}))
    return tmp_path


def naive(folder, layer, ids):
    """Return the last layer by torch's own encoder (tokens, width)."""
    from safetensors.torch import load_file

    tensors = load_file(folder / "model.safetensors")
    seen = tensors["bert.embeddings.word_embeddings.weight"][ids]
    seen = seen + tensors["bert.embeddings.position_embeddings.weight"][: len(ids)]
    seen = seen + tensors["bert.embeddings.token_type_embeddings.weight"][0]
    seen = torch.nn.functional.layer_norm(seen, (WIDTH,), eps=1e-12)
    with torch.inference_mode():
        return layer(seen[None])[0].numpy()


def test_pieces_are_the_longest_that_fit():
    """Accents and case go; what has no piece is unknown as a whole."""
    numbers = {piece: number for number, piece in enumerate(PIECES)}
    assert [PIECES[one] for one in pieces_of("Playing, Café 42 zoo", numbers)] == [
        "play", "##ing", ",", "cafe", "4", "##2", "[UNK]",
    ]  # fmt: skip


def test_the_mean_of_the_last_layer_is_that_of_torchs_own(folder, layer):
    """Alone and beside a longer text."""
    encode = load(folder)
    short, long = [2, 4, 5, 3], [2, 7, 6, 9, 8, 10, 11, 3]
    found = encode(["playing", "planer, a 42"])
    assert found[0] == pytest.approx(naive(folder, layer, short).mean(axis=0), abs=1e-4)
    assert found[1] == pytest.approx(naive(folder, layer, long).mean(axis=0), abs=1e-4)


def test_the_first_token_counts_where_the_files_say_so_and_a_wheel_is_read(folder, layer):
    """From whatever folder of the wheel."""
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    wheel = folder / "one.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("1_Pooling/config.json", "model.safetensors", "vocab.txt", "config.json"):
            archive.write(folder / name, f"some/model/{name}")
    for path in (folder, wheel):
        assert load(path)(["playing"])[0] == pytest.approx(naive(folder, layer, [2, 4, 5, 3])[0], abs=1e-4)


def test_what_is_no_encoder_is_refused(tmp_path):
    """With what was expected."""
    with pytest.raises(BadArtifact, match=r"expected model.safetensors, vocab.txt"):
        load(tmp_path)
    (tmp_path / "x.whl").write_bytes(np.arange(9).tobytes())
    with pytest.raises(BadArtifact, match=r"expected model.safetensors"):
        load(tmp_path / "x.whl")
