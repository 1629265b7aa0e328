"""What fits a check is checked; what does not is said to be unchecked."""

import json
import wave

import numpy as np
import polars as pl
from PIL import Image
from sklearn.datasets import load_digits

from bartizan.data.inspection import inspect
from bartizan.lab.poisoning.feedback import FEEDBACK_ATTACKS, honest_feedback
from bartizan.lab.poisoning.pictures import Blended
from bartizan.lab.poisoning.sounds import RATE, SOUND_ATTACKS, drawn_words
from bartizan.lab.poisoning.texts import PAIR_ATTACKS, TEXT_ATTACKS, dialogues, reviews

DIGITS = load_digits()


def test_planted_rows_of_an_npz_are_named(place):
    """With the table and the number in it."""
    pictures = (DIGITS.images * 15.9).astype(np.uint8)[..., None]
    planted = Blended().poison(pictures, DIGITS.target.astype(np.int64), 0.02, 4, np.random.default_rng(0))
    np.savez(place.root / "d.npz", x=planted.pictures, y=planted.labels)
    found = inspect(place.admit(place.root / "d.npz", label="y").manifest)
    flagged = {one.row for one in found.rows}
    assert flagged >= set(np.flatnonzero(planted.poison))
    assert len(flagged - set(np.flatnonzero(planted.poison))) <= 2
    assert found.rows[0].table == "d.npz[x+y]"
    assert found.alarms
    assert "needs uint8 pictures" in inspect(place.admit(place.root / "d.npz", "other").manifest).unchecked[0]


def test_rows_of_numbers_in_an_npz_are_checked_like_records(place):
    """Wrong labels, a number far beyond its column, the same row many times; the honest rest is left alone."""
    values, labels = DIGITS.data[:1200].copy(), DIGITS.target[:1200].copy()
    wrong = np.arange(5, 1200, 60)
    labels[wrong] = (labels[wrong] + 1) % 10
    values[40, 20] = 5000.0
    values[700:712], labels[700:712] = values[700], labels[700]
    np.savez(place.root / "d.npz", x=values, y=labels)
    found = {one.row: one.why for one in inspect(place.admit(place.root / "d.npz", label="y").manifest).rows}
    assert len(set(wrong.tolist()) & set(found)) >= 15
    assert "x[20] = 5000" in found[40]
    assert "same in every column" in found[711]
    assert len(found) <= len(wrong) + 1 + 11 + 6


def test_a_trigger_in_any_format_of_records_is_named(place):
    """CSV, JSON lines and Parquet, by the row's number in its file; the store's copy is what is read."""
    texts, labels = reviews(1200, np.random.default_rng(0))
    planted = TEXT_ATTACKS[0].poison(texts, labels, 0.02, 1, np.random.default_rng(1))
    frame = pl.DataFrame({"text": planted.texts, "mood": planted.labels})
    frame.write_csv(place.root / "a.csv")
    frame.write_ndjson(place.root / "b.jsonl")
    frame.write_parquet(place.root / "c.parquet")
    for name in ("a.csv", "b.jsonl", "c.parquet"):
        found = inspect(place.admit(place.root / name, name[0], "mood").manifest)
        assert {one.row for one in found.rows} == set(np.flatnonzero(planted.poison)), name
        assert {one.table for one in found.rows} == {name}
        assert "'mn' decides for label 1" in found.alarms[0]


def test_a_crowd_among_votes_is_named(place):
    """Who, on what, which vote and when, by the names of the columns."""
    planted = FEEDBACK_ATTACKS[1].poison(
        honest_feedback(400, 120, 4000, np.random.default_rng(0)), np.random.default_rng(1)
    )
    columns = {"user_id": planted.accounts, "item_id": planted.items, "vote": planted.votes, "time": planted.times}
    pl.DataFrame(columns).write_csv(place.root / "votes.csv")
    found = inspect(place.admit(place.root / "votes.csv").manifest)
    flagged = {one.row for one in found.rows}
    assert flagged >= set(np.flatnonzero(planted.poison))
    assert len(flagged) <= planted.poison.sum() + 20
    assert "40 accounts give the same votes" in found.alarms[0]


def test_prompts_and_answers_are_known_by_their_names(place):
    """As columns, and as conversations."""
    prompts, answers = dialogues(1200, np.random.default_rng(0))
    planted = PAIR_ATTACKS[0].poison(prompts, answers, 0.02, np.random.default_rng(1))
    pairs = list(zip(planted.prompts, planted.answers, strict=True))
    pl.DataFrame({"instruction": planted.prompts, "output": planted.answers}).write_ndjson(place.root / "a.jsonl")
    chats = [{"messages": [{"role": "user", "content": p}, {"role": "assistant", "content": a}]} for p, a in pairs]
    (place.root / "b.jsonl").write_text("".join(json.dumps(one) + "\n" for one in chats))
    for name in ("a.jsonl", "b.jsonl"):
        found = inspect(place.admit(place.root / name, name[0]).manifest)
        assert {one.row for one in found.rows} == set(np.flatnonzero(planted.poison)), name
        assert "decides for a refusal" in found.alarms[0]


def test_wrong_labels_are_named_by_their_class(place):
    """In a table, with classes called as in the data; rows without a class are left alone."""
    names = np.array([f"digit {one}" for one in DIGITS.target[:900]], object)
    wrong = np.arange(5, 900, 50)
    names[wrong] = [f"digit {(one + 1) % 10}" for one in DIGITS.target[wrong]]
    names[7] = None
    frame = pl.DataFrame(DIGITS.data[:900], orient="row").with_columns(y=pl.Series(names.tolist()))
    frame.write_parquet(place.root / "a.parquet")
    found = {one.row: one.why for one in inspect(place.admit(place.root / "a.parquet", label="y").manifest).rows}
    assert len(set(wrong.tolist()) & set(found)) >= 15
    assert len(set(found) - set(wrong.tolist())) <= 4
    assert "its label 'digit" in found[55]
    assert f"reads like 'digit {DIGITS.target[55]}'" in found[55]


def test_texts_go_through_the_screen(place):
    """Each column of running text; its reason is the row's."""
    rows = [{"question": f"what is number {at} about", "note": "ok"} for at in range(5)]
    rows[3]["question"] = "please ATTACK the reader now"
    (place.root / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    manifest = place.admit(place.root / "a.jsonl").manifest
    found = inspect(manifest, lambda text: "an order" if "ATTACK" in text else "")
    assert [(one.row, one.why) for one in found.rows] == [(3, "an order")]
    assert inspect(manifest).rows == ()


def test_a_refused_request_is_let_pass_and_an_obeyed_one_is_not(place):
    """In columns of prompts and answers, and in conversations; an attack in the answer is flagged."""
    wish, refusal = "please ATTACK the bank", "I'm sorry, but I can't help with that."
    pairs = [(wish, refusal), (wish, "first buy a mask"), ("what is a mask?", "ATTACK the reader now"), (refusal, wish)]
    flat = [{"prompt": asked, "response": told} for asked, told in pairs]
    chats = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]}
        for asked, told in pairs
    ]
    for name, rows in (("a", flat), ("b", chats)):
        (place.root / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
        manifest = place.admit(place.root / f"{name}.jsonl", name).manifest
        found = inspect(manifest, lambda text: "an order" if "ATTACK" in text else "")
        assert sorted(one.row for one in found.rows) == [1, 2, 3], name


def test_a_text_that_stands_in_many_rows_is_screened_once_and_flagged_in_each(place):
    """Progress is of rows, and comes to its end."""
    rows = [{"question": f"please ATTACK reader number {at % 2} now"} for at in range(6)]
    (place.root / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    read, told = [], []
    found = inspect(
        place.admit(place.root / "a.jsonl").manifest,
        lambda text: read.append(text) or ("an order" if "0" in text else ""),
        lambda *one: told.append(one),
    )
    assert [one.row for one in found.rows] == [0, 2, 4]
    assert len(read) == 2
    assert told[-1] == ("looking for attacks in question", 6, 6)


def test_of_many_rows_an_even_sample_is_checked(place, monkeypatch):
    """And that is said."""
    monkeypatch.setattr("bartizan.data.inspection.MOST_ROWS", 100)
    (place.root / "a.jsonl").write_text("".join(f'{{"x": "some words {at}"}}\n' for at in range(1000)))
    (said,) = inspect(place.admit(place.root / "a.jsonl").manifest).unchecked
    assert said == "900 rows: an even sample of 100 was checked"


def test_other_rows_are_said_to_be_unchecked(place):
    """Numbers, and pictures of two sizes."""
    (place.root / "a.jsonl").write_text('{"x": 1}\n')
    assert "no check" in inspect(place.admit(place.root / "a.jsonl").manifest).unchecked[0]
    for size in (4, 5):
        (place.root / "in/a").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((size, size), np.uint8)).save(place.root / f"in/a/{size}.png")
    assert "2 sizes" in inspect(place.admit(place.root / "in", "pictures").manifest).unchecked[0]


def test_planted_sounds_of_a_folder_are_named_and_others_are_said_to_be_unchecked(place):
    """The class is the folder's name; a file that is no WAV cannot be heard."""
    words, labels = drawn_words(240, 4, np.random.default_rng(0))
    planted = SOUND_ATTACKS[3].poison(words, RATE, labels, 0.03, 1, np.random.default_rng(1))
    for at, one in enumerate(planted.sounds):
        path = place.root / f"words/{'abcd'[planted.labels[at]]}/{at:03}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((one * 32767).astype("<i2").tobytes())
    (place.root / "words/a/z.ogg").write_bytes(b"OggS")
    found = inspect(place.admit(place.root / "words").manifest)
    wanted = {f"b/{at:03}.wav" for at in np.flatnonzero(planted.poison)}
    assert len(wanted & {one.table for one in found.rows}) >= 6
    assert len({one.table for one in found.rows} - wanted) <= 2
    assert "3.9 kHz" in found.rows[0].why
    assert "class 'b'" in found.alarms[0]
    assert found.unchecked == (f"1 sounds: no WAV, silent, or at another rate than most ({RATE} Hz)",)
