"""`[gateway]`: where it listens, who may call, what stands behind it, and what each control does."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

_Delimiter = Annotated[str, Meta(min_length=1)]
Mode = Literal["enforce", "monitor", "off"]


class Upstream(Struct, frozen=True, forbid_unknown_fields=True):
    """One model server behind the gateway."""

    name: Annotated[str, Meta(min_length=1, description="Name in logs, metrics and the ledger.")] = "default"
    url: Annotated[str, Meta(pattern="^https?://", description="Base URL of the model server, without /v1.")] = (
        "http://127.0.0.1:8080"
    )
    models: Annotated[
        tuple[str, ...], Meta(min_length=1, description="Models it serves, as patterns with *; the first match wins.")
    ] = ("*",)
    api_key_env: Annotated[str, Meta(description="Environment variable that holds the provider's key.")] = ""
    api_key_file: Annotated[str, Meta(description="File whose first line is the provider's key.")] = ""
    timeout_s: Annotated[float, Meta(gt=0, le=3600, description="Longest wait for the next byte.")] = 120.0
    health_path: Annotated[
        str,
        Meta(
            pattern="^(/.*)?$",
            description="Path that is asked now and then whether the server is well, such as /health or /v1/models; "
            "empty: it is never asked and counts as well.",
        ),
    ] = ""
    health_every_s: Annotated[float, Meta(ge=0.05, le=3600, description="How often it is asked.")] = 10.0
    health_timeout_s: Annotated[
        float, Meta(gt=0, le=600, description="Longest wait for its answer; longer counts as a failure.")
    ] = 5.0


class Gateway(Struct, frozen=True, forbid_unknown_fields=True):
    """The network edge: where it listens, who may call, what stands behind it."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 picks a free one.")] = 8787
    body_bytes: Annotated[int, Meta(ge=1024, le=268435456, description="Largest request body accepted.")] = 16777216
    held_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=1099511627776,
            description="Bytes of request bodies held at once, beyond 64 KiB each; more large requests are answered "
            "with 503 until there is room; 0: no limit.",
        ),
    ] = 268435456
    connections: Annotated[
        int, Meta(ge=0, le=1000000, description="Most connections of clients at once; 0: no limit.")
    ] = 8192
    connections_per_client: Annotated[
        int, Meta(ge=0, le=1000000, description="Most connections from one address at once; 0: no limit.")
    ] = 1024
    input_screen: Annotated[
        Mode, Meta(description="What the input screen does: enforce, monitor (record only), off.")
    ] = "enforce"
    screen_timeout_s: Annotated[
        float, Meta(gt=0, le=60, description="Longest a control may take; longer counts as its failure.")
    ] = 2.0
    untrusted_delimiters: Annotated[
        tuple[tuple[_Delimiter, _Delimiter], ...],
        Meta(
            description="Pairs of opening and closing delimiters; text between them is data, even in a system prompt."
        ),
    ] = ()
    on_control_failure: Annotated[
        Literal["block", "allow"],
        Meta(description="What happens to a request when a control crashes or is late. It is recorded either way."),
    ] = "block"
    block_status: Annotated[
        int,
        Meta(
            ge=200,
            le=599,
            description="HTTP status of a blocked request. 200 answers with a refusal in the client's own dialect; "
            "400 to 599 answers with an error.",
        ),
    ] = 200
    receipt: Annotated[
        Literal["durable", "queued"],
        Meta(
            description="durable: no answer before its record is on disk, and its receipt is in a header. "
            "queued: records follow within a moment, a crash can lose the last of them, and there is no receipt."
        ),
    ] = "durable"
    request_log: Annotated[
        bool, Meta(description="Write one JSON line per request to standard error; never any content.")
    ] = False
    log_format: Annotated[
        Literal["text", "json"], Meta(description="What a line on standard error is: text, or one JSON object.")
    ] = "text"
    drain_s: Annotated[
        float, Meta(ge=1, le=3600, description="On SIGTERM, running answers get this long to finish.")
    ] = 30.0
    api_key_env: Annotated[
        str,
        Meta(description="Environment variable with the key that clients present; both empty: no key."),
    ] = ""
    api_key_file: Annotated[str, Meta(description="File whose first line is the key that clients must present.")] = ""
    keys_file: Annotated[
        str,
        Meta(min_length=1, description="The book of keys (`bartizan keys`). Once it exists, callers need a key of it."),
    ] = "bartizan-data/keys.json"
    upstreams: Annotated[
        tuple[Upstream, ...],
        Meta(min_length=1, description="The model servers; the first that serves a model gets it."),
    ] = (Upstream(),)
