"""`[limits]`: what callers may spend and how fast, what models cost, and where that is counted."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class LimitRule(Struct, frozen=True, forbid_unknown_fields=True):
    """One limit. Several of a kind for one scope: the exact name counts before a pattern, then the first."""

    scope: Annotated[
        str,
        Meta(
            min_length=1,
            description="all, or KIND:NAME with * in the name: organisation, team, user, key, model, session, tool. "
            "Each name has an account of its own.",
        ),
    ] = "key:*"
    allow: Annotated[
        str,
        Meta(
            min_length=1,
            description="'$50 per month', '60 requests per minute, burst 10', '100000 output tokens per hour', "
            "'8 at once'.",
        ),
    ] = "60 requests per minute"


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Budgets, rates and slots: reserved before a request is forwarded, settled on what it really used."""

    rules_file: Annotated[
        str, Meta(min_length=1, description="Limits set while running (`bartizan budgets`); they replace those above.")
    ] = "bartizan-data/limits.json"
    store: Annotated[
        str,
        Meta(
            min_length=1,
            description="Where it is counted: a file; redis://… or postgresql://… for several replicas; memory.",
        ),
    ] = "bartizan-data/limits.sqlite"
    store_env: Annotated[
        str, Meta(description="Environment variable that holds `store` instead: a URL with a password is a secret.")
    ] = ""
    replicas: Annotated[
        int,
        Meta(ge=1, le=10000, description="Gateways that share the store; while it is away, each allows its part."),
    ] = 1
    durability: Annotated[
        Literal["process", "power"],
        Meta(description="What counts survive: the death of every process, or a power cut too (waits for the disk)."),
    ] = "process"
    prices_file: Annotated[
        str, Meta(min_length=1, description="The signed price book (`bartizan prices`). An unknown price is refused.")
    ] = "bartizan-data/prices.json"
    prices_key: Annotated[
        str, Meta(description="Public key of who signs prices; empty believes the key beside the book.")
    ] = ""
    prices_max_age_days: Annotated[float, Meta(gt=0, le=3660, description="Older prices are refused.")] = 400.0
    unbounded: Annotated[
        Literal["refuse", "whole-context"],
        Meta(description="Requests that point to stored text or files: refuse, or reserve all the model can read."),
    ] = "refuse"
    when_short: Annotated[
        Literal["clamp", "refuse"],
        Meta(description="A budget affords less output than was asked for: shorten the answer, or refuse."),
    ] = "clamp"
    on_abort: Annotated[
        Literal["drain", "cancel"],
        Meta(
            description="A client leaves a stream: read it to its end for the exact bill, or close it and charge what "
            "was reserved."
        ),
    ] = "drain"
    drain_s: Annotated[float, Meta(gt=0, le=3600, description="Longest that an abandoned stream is read on.")] = 300.0
    lease_s: Annotated[
        float, Meta(ge=5, le=3600, description="A gateway that dies is charged what it held after this long.")
    ] = 60.0
    agent_steps: Annotated[
        int, Meta(ge=0, le=100000, description="Most tool results in one conversation; 0: any number.")
    ] = 0
    agent_repeats: Annotated[
        int, Meta(ge=0, le=1000, description="Most times for the same tool call with the same result; 0: any number.")
    ] = 0
    agent_stale: Annotated[
        int, Meta(ge=0, le=1000, description="This many tool results in a row without anything new stop it; 0: never.")
    ] = 0
    agent_depth: Annotated[
        int, Meta(ge=0, le=1000, description="Most agents in agents, as x-bartizan-depth counts; 0: any number.")
    ] = 0
    rules: Annotated[tuple[LimitRule, ...], Meta(description="The limits; without any, nothing is counted.")] = ()
