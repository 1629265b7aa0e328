"""Links and images that carry data."""

import pytest
from tests.gateway.samples import LINKS

from bartizan.gateway.output.links import Links

CONTROL = Links(["docs.python.org", "good.example"])


@pytest.mark.parametrize("url", LINKS)
@pytest.mark.parametrize("form", ["see {} now", "[x]({})", "![x]({})", '<img src="{}">', "<{}>", "[x]: {}\n"])
def test_carrying_links_are_found_in_every_form(url, form):
    """Plain, markdown, image, HTML, angle brackets, reference."""
    assert CONTROL.look(form.format(url), final=True).hits


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/guide",
        "https://example.org/how-to-write-a-very-good-readme-for-your-project",
        "https://good.example/x?token=1 and https://a.good.example/?q=2",
        "std::vector and a // comment and C:\\path",
        "http is a protocol: see section 3",
    ],
)
def test_plain_links_and_listed_hosts_pass(text):
    """A link that carries nothing is fine; a listed host may carry."""
    assert CONTROL.look(text, final=True).hits == []


def test_an_image_needs_a_listed_host():
    """It is fetched without a click, so even a bare one tells somebody."""
    assert CONTROL.look("![a](https://other.example/pixel.png)", final=True).hits
    assert CONTROL.look("![a](https://good.example/pixel.png)", final=True).hits == []


def test_a_host_that_only_ends_like_a_listed_one_is_not_listed():
    """Subdomains yes, suffixes no; neither user names before the host."""
    assert CONTROL.look("https://evilgood.example/?q=1", final=True).hits
    assert CONTROL.look("https://good.example@evil.example/?q=1", final=True).hits


@pytest.mark.parametrize("url", LINKS)
def test_no_beginning_is_released(url):
    """Not one character of the address leaves before it is judged."""
    text = f"![some alt text]({url}) ok"
    start = CONTROL.look(text, final=True).hits[0].start
    for end in range(start, start + len(url)):
        assert CONTROL.look(text[:end], final=False).hold <= start
