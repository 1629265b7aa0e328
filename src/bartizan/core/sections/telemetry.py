"""`[telemetry]`: where spans and metrics go."""

from typing import Annotated

from msgspec import Meta, Struct


class Telemetry(Struct, frozen=True, forbid_unknown_fields=True):
    """OpenTelemetry: a span and metrics for each request, to a collector. Never any content."""

    endpoint: Annotated[
        str,
        Meta(
            pattern="^(https?://.+)?$",
            description="Base URL of an OTLP/HTTP collector, such as http://127.0.0.1:4318; empty: nothing is sent.",
        ),
    ] = ""
    headers_env: Annotated[
        str, Meta(description="Environment variable with headers for the collector: `name=value,name=value`.")
    ] = ""
    service_name: Annotated[str, Meta(min_length=1, description="The `service.name` of everything sent.")] = (
        "bartizan-gateway"
    )
    sample: Annotated[
        float,
        Meta(ge=0, le=1, description="Share of the traces begun here that get a span; metrics count all requests."),
    ] = 1.0
    join_traces: Annotated[
        bool,
        Meta(
            description="Continue the trace that a client names in `traceparent`, its choice of sampling too; "
            "false begins a new one for each request, for gateways that strangers call."
        ),
    ] = True
    every_s: Annotated[float, Meta(ge=0.05, le=3600, description="How often metrics are sent.")] = 15.0
