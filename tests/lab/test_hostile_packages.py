"""The corpus is inert and complete: every sample is made of bytes, with a name of its own."""

import re

from bartizan.lab.hostile_packages import honest_packages, hostile_packages


def test_every_sample_has_a_name_of_its_own():
    """And says on which side it is."""
    samples = [*hostile_packages(), *honest_packages()]
    assert len({one.name for one in samples}) == len(samples) > 50
    assert all(one.hostile for one in hostile_packages())
    assert not any(one.hostile for one in honest_packages())


def test_no_address_in_it_is_anybodys():
    """Names that cannot exist, or services without an account."""
    text = b" ".join(one.data for one in hostile_packages() if b"http" in one.data).decode("latin-1")
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    known = {"discord.com", "api.telegram.org", "x.oast.fun", "webhook.site", "registry.npmjs.org", "169.254.169.254"}
    assert all(host.endswith(".invalid") or host in known for host in hosts), hosts
