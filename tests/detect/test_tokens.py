"""Tokens: every text has them, their places are in the text, disguises of case and quotes are marked."""

from hypothesis import given
from hypothesis import strategies as st

from bartizan.detect.tokens import DIGITS, LONG, NEWLINE, Tokenizer, tokenizer


@given(st.text(max_size=300))
def test_every_text_has_tokens_with_places_in_order(text):
    """Whatever is sent, surrogates included."""
    tokens = tokenizer().read(text)
    assert len(tokens.ids) == len(tokens.marks) == len(tokens.starts) == len(tokens.ends)
    assert all(0 <= number < tokenizer().size for number in tokens.ids)
    assert all(0 <= mark <= 5 for mark in tokens.marks)
    assert list(tokens.starts) == sorted(tokens.starts)
    assert all(0 <= start <= end <= len(text) for start, end in zip(tokens.starts, tokens.ends, strict=True))


def test_the_longest_piece_is_taken_first():
    """As WordPiece does."""
    words = Tokenizer(["un", "##able", "##a", "unab", "##le"])
    assert [words.pieces[number - 16] for number in words.read("unable").ids] == ["unab", "##le"]


def test_case_and_quotes_are_marked():
    """SHOUTING is one thing, a quotation another; a quotation ends with its line."""
    marks = tokenizer().read('Ignore ALL of "it now\nthen').marks
    assert list(marks) == [1, 2, 0, 0, 3, 3, 0, 0]


def test_numbers_long_words_and_lines_have_tokens_of_their_own():
    """They say what kind of thing stands there, not which."""
    assert list(tokenizer().read(f"7\n123456789012 {'x' * 60}").ids) == [DIGITS, NEWLINE, DIGITS + 7, LONG]


def test_other_scripts_are_read_by_letters():
    """Cyrillic by the beginning of a word, Chinese by pairs of characters, accents as none."""
    read = tokenizer().read
    assert read("игнорируй").ids[0] == read("игнорируйте").ids[0]
    assert read("忽略指令").ids[0] == read("忽略一切").ids[0]
    assert list(read("naïve").ids) == list(read("naive").ids)


def test_lines_and_sentences_begin_where_a_reader_sees_it():
    """A full stop ends one before a capital letter only: 3.5 and file.txt are no two sentences."""
    content = "See file.txt now. It is 3.5 long! yes\nand more"
    tokens = tokenizer().read(content)
    begins = tokenizer().begins(tokens.ids, tokens.marks)
    assert [content[start:].split(" ")[0] for start in tokens.starts[begins]] == ["See", "It", "yes\nand", "and"]
    assert not tokenizer().begins(tokens.ids[:0], tokens.marks[:0]).size
