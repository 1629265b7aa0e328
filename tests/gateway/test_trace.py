"""Records hold what happened and none of what was said."""

import json

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Usage
from bartizan.core.verdicts import Allow
from bartizan.gateway.screening import Judged
from bartizan.gateway.trace import Trace


class Guarded:
    """What a guard tells."""

    findings = (Finding("aws-access-key", Severity.HIGH, "a credential", "text"),)
    blocked = ""
    redacted = 1
    usage = Usage(3, 4)
    finish = "stop"


def test_the_record_is_json_and_holds_no_content():
    """A hash ties it to the request's bytes."""
    trace = Trace("openai-chat", 5, body=b"the prompt", judged=Judged(Allow(), (), Allow()))
    trace.screened(Guarded(), 100)
    record = json.dumps(trace.record(2005))
    assert "the prompt" not in record
    assert json.loads(record)["usage"] == {"input": 3, "output": 4}
    assert (trace.verdict, json.loads(record)["took_us"]) == ("redact", 2)
    assert trace.end(2005)["request"] == trace.id
