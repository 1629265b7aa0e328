"""Arguments: ways out of folders, into the network and into shells stop; honest arguments pass."""

import pytest
from tests.mcp.standing import tool

from bartizan.core.messages import ToolSpec
from bartizan.mcp.arguments import argument_findings, climbs
from bartizan.mcp.calls import spec_of
from bartizan.policy.inference import infer


def rules(name, hosts=(), **arguments):
    """Return the rules that fire for a call of a tool with this name."""
    spec = spec_of(tool(name, **dict.fromkeys(arguments, "string")))
    assert isinstance(spec, ToolSpec)
    return {one.rule for one in argument_findings(arguments, infer(spec), hosts)}


@pytest.mark.parametrize(
    ("name", "arguments", "rule"),
    [
        ("read_file", {"path": "../../etc/passwd"}, "path-traversal"),
        ("read_file", {"path": "a/..%2f..%2fetc"}, "path-traversal"),
        ("read_file", {"path": "a\\..\\..\\x"}, "path-traversal"),
        ("read_file", {"path": "%252e%252e%252fetc"}, "path-traversal"),
        ("get_document", {"document_id": "../../secrets/key"}, "path-traversal"),
        ("delete_item", {"item": "a/../../b"}, "path-traversal"),
        ("read_file", {"path": "x\x00.png"}, "odd-argument"),
        ("fetch_page", {"url": "http://169.254.169.254/latest/meta-data/"}, "inside-address"),
        ("fetch_page", {"url": "http://2130706433/"}, "inside-address"),
        ("fetch_page", {"url": "gopher://x.example/"}, "odd-address"),
        ("get_figma_data", {"fileKey": "x`id`"}, "command-in-argument"),
        ("git_clone", {"repository": "--upload-pack=touch x"}, "option-in-argument"),
        ("create_branch", {"branch": "main; rm -r x"}, "command-in-argument"),
    ],
)
def test_attacks_on_servers_are_found(name, arguments, rule):
    """Each way that servers were broken with."""
    assert rule in rules(name, **arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read_file", {"path": "docs/notes v1..2.txt"}),
        ("read_file", {"path": "/srv/project/a.py"}),
        ("fetch_page", {"url": "https://example.com/a?b=1&c=2;d"}),
        ("create_issue", {"title": "`rm -rf` in the docs", "body": "see ../README and http://localhost:8000 $(x)"}),
        ("search_code", {"query": "a | b && c"}),
        ("run_command", {"command": "ls | wc -l"}),
        ("run_command", {"command": "cd ../.. && ls"}),
        ("fetch_page", {"url": "https://example.com/a/../b"}),
        ("compare_branches", {"branch": "main..topic/a"}),
        ("search_code", {"query": "import ../utils"}),
        ("write_file", {"path": "a.sh", "content": "cd ..; ls\n"}),
    ],
)
def test_honest_arguments_pass(name, arguments):
    """What is said may speak of anything; a tool that runs commands gets commands."""
    assert rules(name, **arguments) == set()


def test_hosts_of_the_network_can_be_allowed():
    """A list of the operator."""
    assert rules("fetch_page", ("wiki.internal",), url="http://wiki.internal/x") == set()


def test_a_name_that_stays_encoded_climbs():
    """What is still encoded after two rounds is not taken for a path."""
    assert climbs("%25252525252e")
    assert not climbs("100%")
