"""The official conformance suite of MCP, at a server directly and through the proxy: the same results, check by check.

Two servers: one on the official Python SDK that has everything the suite asks for (`bench/mcp/everything.py`, both
versions of the protocol), and the reference server in TypeScript (npm `server-everything`, 2025-11-25), which lacks
most of the suite's tools. Then the official Python client (`bench/mcp/client.py`), direct and through the proxy in each
of the four ways: what a user of it sees must be the same. Needs npm and the network: the suite (`bench/mcp/suite`) is
installed by `npm ci`, the SDK into an environment of its own. Servers may ask here (`mcp.sampling = "allow"` and so
on): the suite wants to be asked. It gives some answers only half a second: a busy machine shows as failures.
"""

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent / "mcp"
WORK = Path("build/mcp-conformance")
SDK = "mcp==2.3.0"
VERSIONS = ("2025-11-25", "2026-07-28")
SETTINGS = """
[mcp]
port = {port}
sampling = "allow"
elicitation = "allow"
roots = "allow"
calls_per_minute = 100000

[[mcp.servers]]
name = "everything"
{way}
"""


def installed():
    """Return the paths of Node.js, of the suite's folder and of the SDK's Python; install what is missing."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("bench-mcp-conformance needs npm (with Node.js 18 or later) on the PATH: not found")
    WORK.mkdir(parents=True, exist_ok=True)
    suite, sdk = WORK / "suite", WORK / "sdk"
    lock, done = HERE / "suite/package-lock.json", suite / "node_modules/.package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        shutil.copytree(HERE / "suite", suite, dirs_exist_ok=True)
        subprocess.run([npm, "ci", "--no-fund", "--no-audit"], cwd=suite, check=True)
    python = sdk / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", sdk], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", SDK], check=True)
    return (suite / "node_modules/node/bin/node").resolve(), suite.resolve(), python.absolute()


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def running(words, port, **extra):
    """Run a server until the block ends; it listens on `port` when the block begins."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True, **extra)
    try:
        for _ in range(600):
            with contextlib.suppress(urllib.error.HTTPError, OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None:
                sys.exit(f"{words[0]} ended before it listened")
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def results(node, suite, url, version):
    """Return scenario -> {check: status} of one run of the suite."""
    cli = suite / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
    with tempfile.TemporaryDirectory() as folder:
        words = [node, cli, "server", "--url", url, "--requirements", version, "-o", folder]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        found = {}
        for one in sorted(Path(folder).glob("server-*/checks.json")):
            scenario = re.fullmatch(r"server-(.*)-\d{4}-\d\d-\d\dT[\dZ-]*", one.parent.name)[1]
            checks, seen = {}, Counter()
            for check in json.loads(one.read_text("utf-8")):
                if check["status"] != "INFO":  # what was seen on the way, not what was checked
                    seen[check["id"]] += 1
                    checks[f"{check['id']} #{seen[check['id']]}"] = check["status"]
            found[scenario] = checks
    if not found:
        sys.exit(f"the suite brought no result:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return found


def counted(found):
    """Return how many checks had which status."""
    statuses = [status for checks in found.values() for status in checks.values()]
    return {status.lower(): statuses.count(status) for status in sorted(set(statuses))}


def differences(direct, through):
    """Return the checks whose status differs."""
    return [
        {
            "scenario": scenario,
            "check": check,
            "direct": checks.get(check),
            "proxy": through.get(scenario, {}).get(check),
        }
        for scenario, checks in sorted({**through, **direct}.items())
        for check in sorted({*checks, *through.get(scenario, {})})
        if direct.get(scenario, {}).get(check) != through.get(scenario, {}).get(check)
    ]


@contextlib.contextmanager
def proxied(folder, way):
    """Run the proxy before one server; yield its port."""
    port, source = free_port(), str(Path("src").resolve())
    Path(folder, "bartizan.toml").write_text(SETTINGS.format(port=port, way=way), encoding="utf-8")
    words = ["env", f"PYTHONPATH={source}", sys.executable, "-m", "bartizan", "mcp", "serve"]
    with running(words, port, cwd=folder):
        yield port


def measured(node, suite, server, version):
    """Return the row of one server in one version: directly, through the proxy, and where they differ."""
    behind = free_port()
    words = [str(word).format(port=behind) for word in server["words"]]
    with tempfile.TemporaryDirectory() as folder, running(["env", f"PORT={behind}", *words], behind):
        direct = results(node, suite, f"http://127.0.0.1:{behind}/mcp", version)
        with proxied(folder, f'url = "http://127.0.0.1:{behind}/mcp"') as port:
            through = results(node, suite, f"http://127.0.0.1:{port}/mcp", version)
    row = {"server": server["name"], "version": version, "scenarios": len(direct)}
    row |= {"direct": counted(direct), "proxy": counted(through), "differences": differences(direct, through)}
    print(json.dumps({**row, "differences": len(row["differences"])}), flush=True)
    return row


def client_rows(python, version):
    """Return what the official client sees differently in each of the four ways through the proxy."""
    behind, every = free_port(), str(HERE.resolve() / "everything.py")

    def seen(*words):
        command = [python, HERE.resolve() / "client.py", version, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
        return json.loads(done.stdout)

    rows = []
    with tempfile.TemporaryDirectory() as folder, running([python, every, str(behind)], behind):
        url, child = f"http://127.0.0.1:{behind}/mcp", (str(python), every, "stdio")
        source = str(Path("src").resolve())
        run = ("env", f"PYTHONPATH={source}", sys.executable, "-m", "bartizan", "mcp", "run", "--name", "everything")
        ways = {"http": f'url = "{url}"', "pipes": f"command = {json.dumps(child)}"}
        for way, written in ways.items():
            direct = seen(url) if way == "http" else seen(*child)
            shutil.rmtree(Path(folder, "bartizan-data"), ignore_errors=True)  # another way is another server
            with proxied(folder, written) as port:
                through = {"http": seen(f"http://127.0.0.1:{port}/mcp")}
            through["pipes"] = seen(*run, "--url", url) if way == "http" else seen(*run, "--", *child)
            for client, found in through.items():
                differ = sorted(key for key in {*direct, *found} if direct.get(key) != found.get(key))
                row = {"version": direct["version"], "client": client, "server": way}
                rows.append({**row, "seen": len(direct), "differ": differ})
                print(json.dumps(rows[-1]), flush=True)
    return rows


def main():
    """Measure, write, print."""
    node, suite, python = installed()
    reference = suite / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
    sdk = {"name": SDK, "words": [python, HERE.resolve() / "everything.py", "{port}"]}
    every = json.loads((HERE / "suite/package.json").read_text("utf-8"))["dependencies"]
    typescript = {"name": "server-everything", "words": [node, reference, "streamableHttp"]}
    rows = [measured(node, suite, sdk, version) for version in VERSIONS]
    rows.append(measured(node, suite, typescript, VERSIONS[0]))
    clients = [row for version in VERSIONS for row in client_rows(python, version)]
    versions = {"python": platform.python_version(), "packages": {**every, "mcp (PyPI)": SDK}}
    result = {**versions, "suite": rows, "python_client": clients}
    Path("bench/results/mcp_conformance.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    worse = [one for row in rows for one in row["differences"] if one["direct"] == "SUCCESS"]
    print(f"{len(worse)} checks pass directly and not through the proxy")
    for one in worse:
        print(f"  {one}")


if __name__ == "__main__":
    main()
