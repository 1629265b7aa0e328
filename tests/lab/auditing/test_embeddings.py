"""The report of a store: figures beside guesses, texts with marks, and nothing that a text says is taken for HTML."""

from tests.lab.inversion.word_sums import embed

from bartizan.lab.auditing.embeddings import families, marked
from bartizan.lab.auditing.page import as_json, as_page
from bartizan.lab.inversion.embedding_study import Store
from bartizan.lab.inversion.notes import notes
from bartizan.lab.inversion.vector_release import Noise
from bartizan.lab.targets.encoders import Encoder


def test_words_sentences_attributes_and_defences_are_reported():
    """Each defence has a row; a rotation has one for every number of pairs that the attacker can have."""
    store = Store(Encoder("sums", embed), notes(30, 2), notes(200, 1), 3)
    told = []
    found = families(
        store, sentences=2, questions=30, chosen=Noise("noise 0.3", 0.3), progress=lambda what, *_: told.append(what)
    )
    assert [one.name for one in found] == ["words", "sentences", "attribute inference", "defences"]
    assert found[0].grade == "leaks"
    assert [row[0] for row in found[1].rows[1:]] == ["none", "noise 0.3"]
    attackers = [row[1] for row in found[3].rows if row[0] == "keyed rotation"]
    assert [one.split(",")[0] for one in attackers] == ["matches axes", "50 pairs", "64 pairs"]
    assert set(found[3].curves) == {"noise", "int8, binary", "cut", "metric DP"}
    assert "int8" in told
    assert "keyed rotation" not in found[3].says
    page = as_page(found, {"model": "m", "about": "a", "seed": 1})
    assert "<mark>" in page
    assert "retrieval lost" in page
    assert "texts" not in as_json(found, {})["families"][1]


def test_marks_stand_around_recovered_words_and_texts_are_escaped():
    """In the order and the case of the text; words that say nothing are not marked."""
    found = marked("The <b>Account</b> of account 7 & Co", frozenset({"account", "of", "co"}))
    assert found == ("The &lt;b&gt;<mark>Account</mark>&lt;/b&gt; of <mark>account</mark> 7 &amp; <mark>Co</mark>")
