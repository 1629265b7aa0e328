"""What it means to be pointed at."""

from bartizan.core.messages import Text, Trust
from bartizan.policy.anchors import Anchor, Anchors, form_of, forms_in
from bartizan.policy.intent import intent_of
from bartizan.policy.manifest import Kind

FILE = frozenset({"file"})


def anchors(text):
    """Anchors of a request."""
    return Anchors(intent_of([Text(text, Trust.USER)]))


def test_an_id_is_good_for_its_own_kind_of_thing_only():
    """5 is an event's number, not a file's."""
    made = anchors("x")
    made.add("5", Anchor(Kind.ID, "notes", FILE, "w", "5"))
    assert made.sure("5", FILE)
    assert not made.sure("5", frozenset({"event"}))
    assert not made.sure("6", FILE)


def test_two_records_that_fit_make_neither_sure_unless_all_are_wanted():
    """A planted file of the same name is a rival; two values of one record are not."""
    for text, sure in (("delete notes", False), ("delete all notes", True)):
        made = anchors(text)
        made.add("5", Anchor(Kind.ID, "notes", FILE, "w", "5"))
        made.add("6", Anchor(Kind.ID, "notes", FILE, "v", "6"))
        assert bool(made.sure("5", FILE)) is sure
        assert made.touched("5") == "w"
    made = anchors("x")
    for mail in ("a@x.com", "b@x.com"):
        made.add(mail, Anchor(Kind.META, "meeting members", FILE, "w", "24"))
    assert made.sure("a@x.com", frozenset())


def test_a_followed_documents_word_counts_only_where_documents_may_speak():
    """The user's own request is not widened by what a document points at."""
    made = anchors("x")
    made.add("5", Anchor(Kind.ID, "notes", FILE, "w", "5", "document"))
    assert not made.sure("5", FILE)
    assert made.sure("5", FILE, documents=True)


def test_copies_do_not_share_and_forms_are_canonical():
    """A conversation that branches keeps two truths apart."""
    made = anchors("x")
    copy = made.copied()
    copy.add("5", Anchor(Kind.ID, "notes", FILE, "w", "5"))
    assert not made.found
    assert not made.records
    assert form_of("HTTP://WWW.X.com/a/") == "x.com/a"
    assert form_of("Plain  Words") == "plain words"
    assert forms_in([Text("mail bob@x.com", Trust.WEB)]) == {"bob@x.com"}
