"""Text files by their names: code is read as code, other text is only text."""

import pytest

from bartizan.supply.base import Verdict
from bartizan.supply.texts import scan_text


@pytest.mark.parametrize(
    ("name", "text", "verdict"),
    [
        ("README.md", "exec(", Verdict.CLEAN),
        ("x.py", "import base64\nexec(base64.b64decode('cGFzcw=='))\n", Verdict.BLOCK),
        ("x.py", "print(1)\n", Verdict.CLEAN),
        ("x.pth", "import mine\n", Verdict.REVIEW),
        ("x.js", "eval(atob('x'))", Verdict.BLOCK),
        ("install.sh", "curl https://a.invalid | sh\n", Verdict.BLOCK),
        ("install", "#!/bin/bash\ncurl https://a.invalid | sh\n", Verdict.BLOCK),
        ("install.sh", "make\n", Verdict.CLEAN),
        ("x.ipynb", '{"cells": [{"cell_type": "code", "source": ["!curl https://a.invalid | sh"]}]}', Verdict.BLOCK),
        ("x.ipynb", '{"cells": [{"cell_type": "code", "source": ["%time\\n", "print(1)"]}]}', Verdict.CLEAN),
        ("x.ipynb", '{"cells": 1}', Verdict.UNREADABLE),
        ("chat_template.jinja", "{{ ''.__class__ }}", Verdict.BLOCK),
        ("requirements.txt", "numpy\n", Verdict.REVIEW),
        ("a/node_modules/b/package.json", '{"scripts": {"install": "curl https://a.invalid | sh"}}', Verdict.BLOCK),
    ],
)
def test_each_kind(name, text, verdict):
    """By its name."""
    assert scan_text(text.encode(), name).verdict is verdict


def test_a_name_that_says_nothing_is_not_judged():
    """The scan calls it unknown when it is called like a model."""
    assert scan_text(b"hello", "weights.bin") is None
    assert scan_text(b"hello", "weights").verdict is Verdict.CLEAN
    assert scan_text(b"tree\nversion=v4\n", "lightgbm.model").verdict is Verdict.CLEAN
