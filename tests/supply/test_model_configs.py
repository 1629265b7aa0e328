"""Configurations beside models: what loaders would import is told, what models usually say is not."""

import json

import pytest

from bartizan.core.findings import Severity
from bartizan.supply.model_configs import json_findings, yaml_findings


@pytest.mark.parametrize(
    "text",
    [
        '{"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}',
        '{"weight_map": {"w": "model-00001-of-00002.safetensors"}}',
        '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]',
        '{"_target_": "torch.optim.AdamW", "auto_map": {}}',
        '{"a": "\\u00e9"}',
        '{"chat_template": ',
    ],
)
def test_ordinary_json(text):
    """Nothing is said."""
    assert json_findings(text, "x.json") == []


def test_code_of_the_repository_goes_to_review():
    """Loaders run it only when told to; whoever tells them should know."""
    for name, words in (("modeling_x.X", "this repository"), ("a/b--modeling_x.X", "another repository")):
        (found,) = json_findings(json.dumps({"auto_map": {"AutoModel": name}}), "config.json")
        assert (found.rule, found.severity) == ("remote-code", Severity.MEDIUM)
        assert words in found.why


def test_nesting_is_bounded():
    """Unreadable, no crash."""
    text = '{"chat_template": ' + '{"a": ' * 80 + "1" + "}" * 81
    assert json_findings(text, "x") == []
    deep = '{"auto_map": 0, "a": ' + '{"a": ' * 80 + "1" + "}" * 81
    assert [one.rule for one in json_findings(deep, "x")] == ["unreadable"]


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("a: !!python/tuple [1, 2]\nb: !!str x\n", None),
        ("_target_: pytorch_lightning.Trainer\n", None),
        ("loader_module: mlflow.sklearn\n", None),
        ("loader_module: my_model\n", Severity.MEDIUM),
        ("a: !!python/name:builtins.exec\n", Severity.HIGH),
        ("a: !<tag:yaml.org,2002:python/object/new:os.system> [x]\n", Severity.HIGH),
        ("- _target_: 'subprocess.Popen'\n", Severity.HIGH),
    ],
)
def test_yaml(text, severity):
    """By tags, and by names that loaders import."""
    assert [one.severity for one in yaml_findings(text, "x.yaml")] == ([severity] if severity else [])
