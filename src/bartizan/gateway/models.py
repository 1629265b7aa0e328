"""`GET /v1/models` and `GET /v1/models/ID`: what the upstream says, for callers we know. Names are not screened."""

from urllib.parse import unquote

from bartizan.core.errors import Refused, UpstreamFailed
from bartizan.gateway.call import Answer, Call
from bartizan.gateway.gate import Gate
from bartizan.gateway.listing import PATH
from bartizan.gateway.wires.openai_answers import openai_error


async def models(gate: Gate, call: Call) -> Answer:
    """Return the upstream's answer as it is, or an error in OpenAI's form."""
    try:
        gate.auth.identify(call.headers)
        answer = await gate.upstream.send("GET", call.target, call.headers, b"", unquote(call.path[len(PATH) + 1 :]))
        pieces = []
        try:
            while piece := await answer.read():
                pieces.append(piece)
        finally:
            answer.release()
    except Refused as error:
        said = openai_error(401, "invalid_api_key", str(error))
    except UpstreamFailed:
        said = openai_error(502, "upstream_failed", "The model server did not answer.")
    else:
        return Answer(answer.status, answer.headers, b"".join(pieces))
    return Answer(said.status, [(b"content-type", said.content_type)], said.body)
