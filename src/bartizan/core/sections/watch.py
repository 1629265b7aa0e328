"""`[watch]`: canary attacks through the running gateway, and who is told when something happens."""

from typing import Annotated

from msgspec import Meta, Struct


class Alert(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule: which records of the ledger, and how many of them within which time, raise an alert."""

    name: Annotated[str, Meta(min_length=1, description="What the alert is called.")] = "blocked requests"
    kind: Annotated[str, Meta(min_length=1, description="Kind of record, as the audit log shows it.")] = "exchange"
    where: Annotated[
        tuple[str, ...], Meta(description="Fields that must have these values, as field=value; all of them.")
    ] = ("verdict=block",)
    at_least: Annotated[int, Meta(ge=1, le=1000000, description="So many such records …")] = 20
    within_s: Annotated[float, Meta(gt=0, le=604800, description="… within so many seconds.")] = 600.0
    severity: Annotated[
        int, Meta(ge=1, le=5, description="1 informational, 2 low, 3 medium, 4 high, 5 critical (OCSF).")
    ] = 4


class Watch(Struct, frozen=True, forbid_unknown_fields=True):
    """What `bartizan watch` does: it attacks the live gateway a little, and tells people what happens."""

    gateway_url: Annotated[
        str, Meta(description="Base URL of the running gateway; empty: gateway.host and gateway.port.")
    ] = ""
    model: Annotated[str, Meta(description="Model that canaries ask for; empty: the first that the gateway lists.")] = (
        ""
    )
    key_env: Annotated[
        str, Meta(description="Environment variable with a key of the gateway for canaries; empty means no key.")
    ] = ""
    period_s: Annotated[float, Meta(ge=10, le=604800, description="Seconds between two rounds of canary attacks.")] = (
        86400.0
    )
    attacks: Annotated[int, Meta(ge=1, le=100, description="Canary attacks on the input screen in each round.")] = 5
    seed: Annotated[int, Meta(ge=0, description="Seed of the canary attacks; each round adds its number to it.")] = 1
    look_s: Annotated[float, Meta(gt=0, le=3600, description="Seconds between two looks at new records.")] = 5.0
    quiet_s: Annotated[
        float, Meta(ge=0, le=604800, description="The same alert is not repeated within so many seconds.")
    ] = 3600.0
    budget_shares: Annotated[
        tuple[Annotated[float, Meta(gt=0, le=1)], ...],
        Meta(description="A budget is recorded when this share of its cap is spent or held; none: not watched."),
    ] = (0.8, 1.0)
    state_file: Annotated[str, Meta(min_length=1, description="How far the records were looked at.")] = (
        "bartizan-data/watch.json"
    )
    alerts: Annotated[
        tuple[Alert, ...],
        Meta(description="Rules; none: failed canaries and controls, floods, wrong passwords, a ledger not intact."),
    ] = ()
    webhook_env: Annotated[
        str, Meta(description="Environment variable with an address that gets each alert as JSON.")
    ] = ""
    slack_env: Annotated[
        str, Meta(description="Environment variable with a Slack-compatible address that gets each alert as text.")
    ] = ""
    ocsf_file: Annotated[
        str, Meta(description="File that gets each alert as an OCSF detection finding, one a line.")
    ] = ""
    smtp_host: Annotated[str, Meta(description="Mail server; empty: no mail.")] = ""
    smtp_port: Annotated[int, Meta(ge=1, le=65535, description="Its port; 465 speaks TLS from the start.")] = 587
    smtp_tls: Annotated[bool, Meta(description="Whether STARTTLS is required on other ports.")] = True
    smtp_from: Annotated[str, Meta(description="Sender of the mail.")] = "bartizan@localhost"
    smtp_to: Annotated[tuple[str, ...], Meta(description="Who gets the mail.")] = ()
    smtp_user: Annotated[str, Meta(description="Name at the mail server; empty: no login.")] = ""
    smtp_password_env: Annotated[str, Meta(description="Environment variable with the password of that name.")] = ""
