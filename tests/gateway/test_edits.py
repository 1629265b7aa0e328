"""What is cut out leaves a mark where it began, whatever piece it is cut from."""

from bartizan.gateway.edits import REDACTED, Edit, edited, without_logprobs


def test_an_edit_over_two_pieces_leaves_one_mark():
    """In the piece in which it begins."""
    edits = [Edit(4, 12)]
    assert edited("the secr", 0, edits) + edited("et is out", 8, edits) == f"the {REDACTED}s out"


def test_edits_that_overlap_are_cut_once():
    """And text without an edit stays."""
    assert edited("abcdef", 0, [Edit(1, 4), Edit(2, 3)]) == f"a{REDACTED}ef"
    assert edited("abcdef", 0, []) == "abcdef"


def test_token_lists_go_from_every_depth():
    """They would spell the span out."""
    document = {"choices": [{"logprobs": {"content": []}, "text": "a"}], "logprobs": {"x": 1}}
    without_logprobs(document)
    assert document == {"choices": [{"logprobs": None, "text": "a"}], "logprobs": None}
