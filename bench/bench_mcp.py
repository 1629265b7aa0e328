"""What the MCP proxy adds to one call of a tool: judging the call, screening its answer. No pipes and no disk in it."""

import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

from tests.mcp.standing import ready, server_at

from bartizan.mcp.messages import read, written

N = 300
ANSWERS = {"short": "The sum of 2 and 3 is 5.", "page": "The weather in Paris is mild and the trams run. " * 40}


def measured(text):
    """Return microseconds of both halves of each of N calls whose answer is `text`, parsing and writing included."""
    asked, back = [], []
    with tempfile.TemporaryDirectory() as folder:
        talk = ready(server_at(Path(folder), calls_per_minute=1000000))
        for id_ in range(N):
            call = {
                "jsonrpc": "2.0",
                "id": id_,
                "method": "tools/call",
                "params": {"name": "add", "arguments": {"a": 1}},
            }
            answer = {"jsonrpc": "2.0", "id": id_, "result": {"content": [{"type": "text", "text": f"{id_}: {text}"}]}}
            for message, says, kept in ((call, talk.client_says, asked), (answer, talk.server_says, back)):
                raw = json.dumps(message).encode()
                began = time.perf_counter_ns()
                written(says(read(raw))[-1].message)
                kept.append((time.perf_counter_ns() - began) / 1e3)
    return asked, back


def spread(values):
    """Return median and 99th percentile."""
    return {"p50_us": round(statistics.median(values), 1), "p99_us": round(statistics.quantiles(values, n=100)[98], 1)}


def main():
    """Measure, write, print."""
    rows = {}
    for name, text in ANSWERS.items():
        asked, back = measured(text)
        rows[name] = {"answer_chars": len(text), "n": N, "call": spread(asked), "answer": spread(back)}
    result = {"python": platform.python_version(), "note": "on a machine shared with other work", "rows": rows}
    Path("bench/results/mcp.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
