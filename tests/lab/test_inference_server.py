"""The reference upstream speaks the protocol as the official client does."""

import httpx
import numpy as np
import pytest

from bartizan.core.errors import BadSettings
from bartizan.lab.inference_server import serving
from bartizan.lab.target import Arrays, Texts, of_callable

MODEL = of_callable("m", lambda x: np.stack([x[:, 0], 1 - x[:, 0]], axis=1), Arrays((2,), 0, 1), classes=2)


def test_json_answers_metadata_and_errors():
    """Metadata names input and outputs; a wrong shape is an error of the server's own, as ugly as they are."""
    with serving(MODEL) as url:
        metadata = httpx.get(f"{url}/v2/models/reference").json()
        assert metadata["inputs"][0]["shape"] == [-1, 2]
        asked = {"name": "input", "datatype": "FP32", "shape": [1, 2], "data": [0.25, 0.5]}
        said = httpx.post(f"{url}/v2/models/reference/infer", json={"id": "7", "inputs": [asked]}).json()
        assert said["id"] == "7"
        assert {one["name"]: one["data"] for one in said["outputs"]} == {"label": [1], "scores": [0.25, 0.75]}
        wrong = httpx.post(f"{url}/v2/models/reference/infer", json={"inputs": [{**asked, "shape": [1, 3]}]})
        assert (wrong.status_code, "inference_server.py" in wrong.text) == (500, True)
        assert httpx.get(f"{url}/v2/nothing").status_code == 404
        assert httpx.post(f"{url}/v2/repository/models/reference/unload").status_code == 200


def test_binary_tensors_go_both_ways():
    """The official client sends and asks for raw bytes."""
    client = pytest.importorskip("tritonclient.http")
    with serving(MODEL) as url:
        server = client.InferenceServerClient(url.removeprefix("http://"))
        assert server.is_model_ready("reference")
        entry = client.InferInput("input", [1, 2], "FP32")
        entry.set_data_from_numpy(np.array([[0.25, 0.5]], dtype=np.float32), binary_data=True)
        said = server.infer("reference", [entry], outputs=[client.InferRequestedOutput("scores", binary_data=True)])
        assert said.as_numpy("scores").tolist() == [[0.25, 0.75]]
        server.close()


def test_only_numbers_are_served():
    """Texts are refused at once."""
    texts = of_callable("t", len, Texts(), classes=2)
    with pytest.raises(BadSettings, match="only numeric inputs"), serving(texts):
        pass
