"""Pairs of requests: the same but for the words between."""

from bartizan.lab.takeovers import takeovers


def test_both_texts_of_a_pair_end_with_the_same_request():
    """And differ in what stands before it."""
    requests = [f"Write line {n} about gardens." for n in range(30)]
    pairs = list(takeovers(requests, 40, 1))
    assert len(pairs) == 40
    for bad, good in pairs:
        last = next(one for one in requests if bad.endswith(one))
        assert good.endswith(last)
        assert bad != good


def test_the_same_seed_gives_the_same_pairs_and_no_requests_give_none():
    """Another seed gives others."""
    requests = ["Sing a song.", "Draw a map.", "Bake a cake."]
    assert list(takeovers(requests, 9, 1)) == list(takeovers(requests, 9, 1)) != list(takeovers(requests, 9, 2))
    assert list(takeovers([], 9, 1)) == []
