"""The page escapes what it shows, draws logarithmic axes, and needs nothing from outside."""

import json

import pytest

from bartizan.core.measures import proportion
from bartizan.lab.auditing.family import Family
from bartizan.lab.auditing.page import ROC, Axis, as_json, as_page, headline, plot

FAMILIES = (
    Family("membership", "leaks", "found", proportion(3, 10, seed=1), curves={"<b>": [(0.001, 0.01), (1.0, 1.0)]}),
    Family("one-run audit", "none", "bound", headline="ε ≥ 0.10", rows=(("a",), ("<i>",))),
    Family("extraction", "little", "copy", proportion(9, 10, seed=1), curves={"own": [(50, 0.5), (500, 0.9)]}),
    Family("inversion", "not measured", "nothing", pictures=(("class 0", '<img src="data:image/png;base64,AA">'),)),
)
FACTS = {"model": "<script>x</script>", "about": "10 records.", "seed": 1}


def test_the_page_escapes_and_stands_alone():
    """Names of models and attacks are text; pictures are our own."""
    page = as_page(FAMILIES, FACTS)
    assert "<script>" not in page
    assert "<i>" not in page
    assert "&lt;b&gt;" in page
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http-equiv", "")
    assert 'aria-label="members found by false positives"' in page


def test_logarithms_place_values_and_ticks():
    """A tenth of the way in each decade; what is outside lies at the end."""
    assert ROC[0].at(0.001) == 0
    assert ROC[0].at(0.1) == pytest.approx(2 / 3)
    assert ROC[0].at(0) == 0
    assert ROC[0].ticks() == pytest.approx([0.001, 0.01, 0.1, 1])
    assert Axis("agreement", 0, 1, log=False).ticks() == [0, 0.25, 0.5, 0.75, 1]
    assert plot({}, *ROC).count("chance") == 1


def test_json_has_figures_and_no_pictures():
    """Everything else of a family."""
    words = json.loads(json.dumps(as_json(FAMILIES, FACTS)))
    assert words["families"][0]["figure"]["value"] == 0.3
    assert "pictures" not in words["families"][3]
    assert [headline(one) for one in FAMILIES] == ["30.0 %", "ε ≥ 0.10", "90.0 %", "–"]
