"""The corpus is inert: every address leads nowhere, every sample has a name of its own."""

import re

from bartizan.lab.hostile_agents import honest_agents, hostile_agents, hostile_by_intent


def test_addresses_lead_nowhere():
    """Names that cannot exist, services without an account, the metadata address that nobody asks here."""
    text = b" ".join(one.data for one in [*hostile_agents(), *hostile_by_intent(), *honest_agents()]).decode()
    known = {"webhook.site", "api.telegram.org", "rentry.co", "169.254.169.254", "127.0.0.1"}
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert all(host.rstrip(".").endswith(".invalid") or host in known for host in hosts), hosts


def test_names_are_their_own():
    """So that a report can name one."""
    names = [one.name for one in [*hostile_agents(), *hostile_by_intent(), *honest_agents()]]
    assert len(set(names)) == len(names) > 60
