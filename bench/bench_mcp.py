"""What the MCP proxy adds to one call of a tool: judging the call, screening its answer. No pipes and no disk in it.

Both halves by the wall's clock and by the processor time of the thread, which other work on the machine lengthens less.
"""

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
    """Return what both halves of each of N calls cost, whose answer is `text`, parsing and writing included.

    Each as microseconds that passed, and that were worked.
    """
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
                began, worked = time.perf_counter_ns(), time.thread_time_ns()
                written(says(read(raw))[-1].message)
                worked = time.thread_time_ns() - worked
                kept.append(((time.perf_counter_ns() - began) / 1e3, worked / 1e3))
    return asked, back


def spread(pairs):
    """Return median and 99th percentile, of the wall's clock and of the processor's."""
    shown = {}
    for name, values in zip(("", "processor_"), zip(*pairs, strict=True), strict=True):
        shown[f"{name}p50_us"] = round(statistics.median(values), 1)
        shown[f"{name}p99_us"] = round(statistics.quantiles(values, n=100)[98], 1)
    return shown


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
