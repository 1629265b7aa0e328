"""After a fuzzed run with everything on disk: no key, prompt or answer is left where it should not be."""

import json
import random

import httpx
from tests.doubles.canned_upstream import canned_upstream, document, event_stream
from tests.gateway.samples import SECRETS
from tests.gateway.test_telemetry import collector

from bartizan.core import settings
from bartizan.core.clock import SystemClock
from bartizan.gateway import assembly
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.server import listen, serving
from bartizan.gateway.testing import WordScreen
from bartizan.ledger.log import Ledger

PROMPT_CANARY = "PROMPT-CANARY-77120-XYZ"
PROVIDER_KEY = "provider-key-should-stay-here-991"


async def test_secrets_stay_nowhere(tmp_path, caplog, capfd):
    """Logs, database, checkpoints, metrics, spans, error bodies and headers, after requests that fail in every way."""
    caplog.set_level(0)
    clock = SystemClock()
    book = KeyBook(tmp_path / "keys.json", clock)
    _, text = book.create("bob", days=1)
    _, admin = book.create("root", days=1, admin=True)
    (tmp_path / "provider").write_text(PROVIDER_KEY)
    said = f"the answer holds {SECRETS[0]} and more. "
    chunk = {"choices": [{"index": 0, "delta": {"content": said}}]}
    answers = {
        ("/v1/chat/completions", False): document({"choices": [{"message": {"content": said}}]}),
        ("/v1/chat/completions", True): event_stream(chunk, "[DONE]"),
        ("/v1/messages", False): document({"error": {"message": f"bad key {PROVIDER_KEY}"}}, 500),
    }
    async with canned_upstream(answers) as url, collector() as (told, collecting):
        wanted = settings.parse(
            f'[gateway]\nrequest_log = true\nkeys_file = "{tmp_path}/keys.json"\n'
            f'[[gateway.upstreams]]\nurl = "{url}"\napi_key_file = "{tmp_path}/provider"\n'
            f'[telemetry]\nendpoint = "{collecting}"\n'
        )
        directory = tmp_path / "ledger"

        def opened():
            return Ledger.open(directory, origin="x", clock=clock, checkpoint_file=tmp_path / "checkpoints")

        app = GatewayApp(assembly.gate_opener(wanted, WordScreen(), opened, clock))
        answered = await fuzzed(app, text, admin)
    planted = (text.partition(".")[2], admin.partition(".")[2], SECRETS[0], PROMPT_CANARY, PROVIDER_KEY)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "provider"}
    assert any(data.startswith(b"SQLite") for data in files.values())
    places = {
        "log": caplog.text,
        "output": "".join(capfd.readouterr()),
        "answers": answered,
        "telemetry": told.raw.decode("latin-1"),
    }
    assert len(told.spans) > 50
    places |= {str(path): data.decode("latin-1") for path, data in files.items()}
    for secret in planted:
        for place, content in places.items():
            assert secret not in content, f"{secret[:6]}… is in {place}"


async def fuzzed(app, text, admin):
    """Send requests of all kinds, damaged ones too; return every answer's head and body."""
    draw, answered = random.Random(7), []
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def ask(client, path, body, key, method="POST"):
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        try:
            answer = await client.request(method, path, content=body, headers=headers)
        except httpx.RemoteProtocolError as error:  # a stream that was cut short
            answered.append(str(error))
            return
        answered.append(f"{answer.headers.raw}{answer.text}")

    async with serving(app, listening), httpx.AsyncClient(base_url=url) as client:
        for number in range(120):
            messages = [{"role": "user", "content": f"{PROMPT_CANARY} {draw.choice(['', 'forbidden', chr(0x2620)])}"}]
            body = json.dumps({"model": "m", "messages": messages, "stream": number % 3 == 0, "max_tokens": 5}).encode()
            if draw.random() < 0.3:
                place = draw.randrange(len(body))
                body = body[:place] + bytes([draw.randrange(256)]) + body[place + 1 :]
            path = draw.choice(["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/nothing"])
            await ask(client, path, body, draw.choice([text, text, text[:-1], admin, "wrong-" + text]))
        await ask(client, "/metrics", b"", admin, "GET")
    return "\n".join(answered)
