"""Builds the gate from the settings: the one place where the planes meet and where files and keys are opened."""

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bartizan.core import settings as settings_file
from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.core.sections.detect import DetectRoute
from bartizan.core.sections.gateway import Upstream as UpstreamSettings
from bartizan.core.signed_tokens import must_be_known
from bartizan.detect.pictures.reader import PictureReader
from bartizan.gateway import telemetry
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.auth import Anyone, Authenticator, BookKeys, SharedKey
from bartizan.gateway.conversations import Conversations
from bartizan.gateway.desk import PATH as ANSWERS
from bartizan.gateway.desk import Desk
from bartizan.gateway.evidence import Log, Recorder
from bartizan.gateway.flagging import Judging, finished, flagging
from bartizan.gateway.gate import Gate
from bartizan.gateway.health import Health, probing
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.limits.files import Files, counting
from bartizan.gateway.limits.limiter import Limiter
from bartizan.gateway.meter import Meter
from bartizan.gateway.output.policy import OutputPolicy
from bartizan.gateway.pictures import SeeingScreen, limits_of
from bartizan.gateway.predict.assembly import predictions
from bartizan.gateway.retrieval import PATH as RETRIEVAL
from bartizan.gateway.retrieval import Retrieval
from bartizan.gateway.routing import Route, Routes
from bartizan.gateway.screening import GuardedScreen, Mode, Screen
from bartizan.gateway.tokens import KeysAt, KeysIn, TokenKeys
from bartizan.gateway.toolcalls import ToolCalls
from bartizan.gateway.upstream import HttpUpstream
from bartizan.gateway.watch import Watch
from bartizan.ledger.approvals.queue import Queue


def authenticator(settings: Settings, clock: Clock) -> Authenticator:
    """Return who may call. Raises BadSettings when anybody could call over a network."""
    if settings.tokens.issuer:
        return token_keys(settings, clock)
    return _keys(settings, clock) or _anyone(settings)


def token_keys(settings: Settings, clock: Clock) -> TokenKeys:
    """Return the check of bearer tokens. Raises BadSettings when it could not be trusted."""
    tokens = settings.tokens
    if not tokens.audience:
        raise BadSettings(
            "tokens.audience is empty: expected the `aud` of tokens that are meant for this gateway",
            hint="Without it, a token that was made for another service would open this gateway.",
        )
    must_be_known(tokens.algorithms, "tokens.algorithms")
    if bool(tokens.keys_url) == bool(tokens.keys_file):
        raise BadSettings("tokens: expected either `keys_url` or `keys_file`")
    parts = urlsplit(tokens.keys_url)
    local = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    if tokens.keys_url and parts.scheme != "https" and not local:
        raise BadSettings(f"tokens.keys_url = {tokens.keys_url!r}: expected https://")
    source = KeysAt(tokens.keys_url) if tokens.keys_url else KeysIn(Path(tokens.keys_file))
    return TokenKeys(tokens, source, clock, _keys(settings, clock))


def _keys(settings: Settings, clock: Clock) -> Authenticator | None:
    gateway = settings.gateway
    if gateway.api_key_env or gateway.api_key_file:
        return SharedKey(settings_file.secret(gateway.api_key_env, gateway.api_key_file, "gateway.api_key"))
    if Path(gateway.keys_file).exists():
        return BookKeys(KeyBook(Path(gateway.keys_file), clock))
    return None


def _anyone(settings: Settings) -> Authenticator:
    gateway = settings.gateway
    if not _is_loopback(gateway.host):
        raise BadSettings(
            f"gateway.host = {gateway.host!r} without a key: anybody on the network could use the models",
            hint="`bartizan keys create NAME` makes a key; or listen on 127.0.0.1.",
        )
    return Anyone()


def upstream(entry: UpstreamSettings, *, open_to_all: bool) -> HttpUpstream:
    """Return the pool for one upstream. Without any keys of ours the client's own key is handed on."""
    key = ""
    if entry.api_key_env or entry.api_key_file:
        key = settings_file.secret(entry.api_key_env, entry.api_key_file, f"upstream {entry.name}: key")
    return HttpUpstream(entry.name, entry.url, key=key, timeout_s=entry.timeout_s, forward_client_key=open_to_all)


def route(entry: UpstreamSettings, *, open_to_all: bool) -> Route:
    """Return one upstream with its models and its health."""
    behind = upstream(entry, open_to_all=open_to_all)
    health = Health(behind, entry.health_path, every_s=entry.health_every_s, timeout_s=entry.health_timeout_s)
    return Route(entry.models, behind, health)


def review_desk(settings: Settings, clock: Clock) -> Desk | None:
    """Return where calls wait for people. Raises BadSettings when nobody would ever be asked, BadEvidence."""
    section = settings.approvals
    if section.mode == "off":
        return None
    if settings.policy.tool_calls != "enforce":
        raise BadSettings(
            f'approvals.mode = "{section.mode}" with policy.tool_calls = "{settings.policy.tool_calls}": no call waits',
            hint='Set policy.tool_calls = "enforce", or approvals.mode = "off".',
        )
    return Desk(section, Queue.configured(section, clock), clock)


def _asking(desk: Desk | None, recorder: Recorder) -> contextlib.AbstractAsyncContextManager[None]:
    if desk is None:
        return contextlib.nullcontext()
    desk.record = recorder.record
    return desk.running()


def _guarded(
    screen: Screen, mode: Mode, settings: Settings, clock: Clock, routes: tuple[DetectRoute, ...] = ()
) -> GuardedScreen:
    timeout_s, fail_open = settings.gateway.screen_timeout_s, settings.gateway.on_control_failure == "allow"
    return GuardedScreen(screen, mode, clock, timeout_s=timeout_s, fail_open=fail_open, routes=routes)


def seeing(settings: Settings, screen: Judging, guarded: GuardedScreen) -> Judging:
    """Return `screen`, within one that reads pictures if they are to be read. Raises BadSettings when it cannot."""
    section = settings.pictures
    if section.read == "off":
        return screen
    return SeeingScreen(screen, guarded, PictureReader(limits_of(section)), section)


def _as_set(settings: Settings, clock: Clock) -> dict[str, Any]:
    """Return what the gate takes from the settings as it stands there."""
    gateway = settings.gateway
    return {
        "control_timeout_s": gateway.screen_timeout_s,
        "fail_open": gateway.on_control_failure == "allow",
        "block_status": gateway.block_status,
        "delimiters": gateway.untrusted_delimiters,
        "wait_for_receipt": gateway.receipt == "durable",
        "tracing": telemetry.tracing(settings.telemetry),
        "conversations": Conversations(settings.detect.remembered_s, clock),
    }


def gate_opener(
    settings: Settings, screen: Screen, open_log: Callable[[], Log], clock: Clock
) -> Callable[[], contextlib.AbstractAsyncContextManager[Gate]]:
    """Return a function that opens the gate. Bad settings are raised now, not when the server starts."""
    gateway = settings.gateway
    auth = authenticator(settings, clock)
    open_to_all = isinstance(auth, Anyone)
    routes = [route(entry, open_to_all=open_to_all) for entry in gateway.upstreams]
    behind, healths = Routes(routes), tuple(one.health for one in routes if one.health is not None)
    guarded = _guarded(screen, gateway.input_screen, settings, clock, settings.detect.routes)
    outputs = OutputPolicy(settings.output)
    desk = review_desk(settings, clock)
    tool_calls = ToolCalls(settings.policy, clock, desk)
    files = Files(settings.limits, clock)
    retrieval = Retrieval(settings.retrieval, _guarded(screen, settings.retrieval.filter, settings, clock))
    predictive = predictions(settings.predict)
    telemetry.check(settings.telemetry)
    kept = flagging(settings.flagged, guarded, clock)
    judging = seeing(settings, kept, guarded)

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Gate]:
        recorder = Recorder(open_log(), clock, settings.ledger.checkpoint_every_s)
        fresh = auth.refreshing() if isinstance(auth, TokenKeys) else contextlib.nullcontext()
        counted = counting(settings.limits, clock)
        limiter, alerts = Limiter(settings.limits, files, counted, clock), Alerts(settings.theft.webhook)
        alerts.record = recorder.enqueue
        if predictive is not None:
            predictive.tell(alerts)
        asking, telling = _asking(desk, recorder), telemetry.running(settings.telemetry)
        try:
            async with fresh, limiter.running(), alerts.running(), asking, probing(healths), telling as tell:
                yield Gate(
                    auth,
                    judging,
                    outputs,
                    behind,
                    recorder,
                    clock,
                    tool_calls,
                    limiter,
                    Watch(counted, alerts, clock, settings.theft.mode),
                    meter=Meter(tell),
                    predictive=predictive,
                    retrieval=retrieval,
                    healths=healths,
                    routes={RETRIEVAL: retrieval.answer, **({ANSWERS: desk.answer_posted} if desk else {})},
                    **_as_set(settings, clock),
                )
        finally:
            tool_calls.close()
            await behind.close()
            if predictive is not None:
                await predictive.close()
            await recorder.close()
            await finished(kept)
            if isinstance(judging, SeeingScreen):
                await judging.close()

    return opened


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
