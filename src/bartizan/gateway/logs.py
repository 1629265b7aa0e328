"""Log lines for people or for machines: one JSON object a line, whatever is logged and by whom.

Of an exception the type and the place are told, never its words: they may repeat what a request holds.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Literal, TextIO

from bartizan.gateway import meter

Style = Literal["text", "json"]
_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            places = traceback.extract_tb(error.__traceback__)
            where = f" in {places[-1].filename}:{places[-1].lineno}" if places else ""
            line["error"] = type(error).__name__ + where
        return json.dumps(line)


def set_up(style: Style, *, requests: bool, stream: TextIO | None = None) -> None:
    """Log warnings and worse to `stream` or standard error; with `requests` a line for each request too."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if style == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(style == "json")
    if requests:
        lines = logging.StreamHandler(stream)
        lines.setFormatter(logging.Formatter("%(message)s"))  # they are JSON already, in OpenTelemetry's names
        meter.request_log.addHandler(lines)
        meter.request_log.setLevel(logging.INFO)
        meter.request_log.propagate = False
