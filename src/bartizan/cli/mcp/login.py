"""`bartizan mcp login NAME`: a person consents that we use a server for him; the token is kept for the proxy.

The address is printed, never opened by us. The browser comes back to this machine alone.
"""

import argparse
import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadSettings, Refused, UpstreamFailed
from bartizan.core.sections import Settings
from bartizan.core.sections.mcp import McpServer
from bartizan.mcp.http.authority import Authority
from bartizan.mcp.http.consent import Consent, keep
from bartizan.mcp.http.oauth import Us
from bartizan.mcp.http.ways import outside_of, us

_PATH = "/callback"
_LINE = 8192
_HEADERS = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\n"


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("name", help="a server of mcp.servers that has a consent_file")
    parser.add_argument("--port", type=int, default=0, help="where the browser comes back to (default: a free port)")
    parser.add_argument("--wait", type=float, default=300.0, help="how long to wait, in seconds (default: %(default)g)")


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    entry = next((one for one in settings.mcp.servers if one.name == args.name and one.url), None)
    if entry is None or not entry.consent_file:
        raise BadSettings(f"{args.name!r}: expected a server of mcp.servers with a url and a consent_file")
    client = asyncio.run(_login(settings, entry, args.port, args.wait))
    note(settings, "mcp-consented", server=entry.name, url=entry.url, client=client.id, who="command line")
    print(f"{entry.name}: consented; the token is kept in {entry.consent_file}")
    return OK


async def _login(settings: Settings, entry: McpServer, port: int, wait_s: float) -> Us:
    came: asyncio.Queue[str] = asyncio.Queue(1)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            said = await asyncio.wait_for(reader.readline(), 10)
            method, target, _ = said.decode("latin-1").split(" ", 2)
            at = urlsplit(target)
            ours = method == "GET" and at.path == _PATH
            if ours and not came.full():
                came.put_nowait(at.query)
            status, text = ("200 OK", "You can close this page.") if ours else ("404 Not Found", "Not here.")
            writer.write(f"HTTP/1.1 {status}\r\n{_HEADERS}\r\n{text}\n".encode())
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # somebody else's connection: the browser's comes again
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, limit=_LINE)
    async with server:
        redirect = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{_PATH}"
        consent = Consent(Authority(entry.url, entry.issuer, outside_of(entry, settings.mcp)), us(entry), redirect)
        address = await consent.address()
        if consent.registered:
            print(f"registered at {visible(consent.us.issuer)} as client {visible(consent.us.id)}")
        print(f"Open this address in a browser, and consent:\n\n  {address}\n", flush=True)
        deadline = asyncio.get_running_loop().time() + wait_s
        while True:
            left = deadline - asyncio.get_running_loop().time()
            try:
                query = await asyncio.wait_for(came.get(), max(left, 0.0))
            except TimeoutError:
                raise UpstreamFailed(f"nobody consented within {wait_s:g} s") from None
            try:
                given = await consent.taken(query)
                break
            except Refused as error:
                print(f"refused: {error}", flush=True)  # a page may send the browser here as well: keep waiting
    client = consent.us if consent.registered else None
    keep(Path(entry.consent_file), entry.url, given, SystemClock().wall_ns(), client)
    return consent.us


COMMAND = Command("login", "Consent in a browser that the proxy uses a server for you (OAuth).", _arguments, _run)
