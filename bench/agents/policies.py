"""The policies compared: none, an oracle's static allowlist, naive taint, Bartizan's with and without manifests."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.agents.play import Judged, Play
from bench.agents.suites import Call, Suite

from bartizan.core.messages import ToolCall, ToolSpec
from bartizan.policy.anchors import form_of
from bartizan.policy.context import context_of
from bartizan.policy.decide import decide
from bartizan.policy.endorsements import Endorsement
from bartizan.policy.inference import infer
from bartizan.policy.lines import message, tool_spec
from bartizan.policy.manifest import Effect, Manifest, Role

Policy = Callable[[Play, Call], Judged]
MANIFESTS = Path(__file__).parent / "manifests"


def manifest_of(suite: str) -> Manifest:
    """Return the manifest of a suite, as its operator would write it."""
    return Manifest.parse((MANIFESTS / f"{suite}.json").read_bytes())


def nothing(play: Play, call: Call) -> Judged:
    """No defence."""
    return Judged("allow", call.args)


def allowlist(suite: Suite) -> Policy:
    """Return an oracle's allowlist: exactly the tools of the user task's own script, which no real system knows."""
    tools: dict[str, set[str]] = {}

    def judge(play: Play, call: Call) -> Judged:
        if play.user not in tools:
            tools[play.user] = {one.tool for one in suite.user_script(play.user, suite.environment(play.user))}
        known = call.tool in tools[play.user]
        return Judged("allow" if known else "block", call.args, "not on the list")

    return judge


def taint(suite: Suite) -> Policy:
    """Return naive taint tracking: a value that stands in tool output and not in the request blocks a side effect."""
    manifest = manifest_of(suite.name)

    def judge(play: Play, call: Call) -> Judged:
        tool = manifest.tools.get(call.tool) or infer(ToolSpec(call.tool))
        if tool.effect in (Effect.READ, Effect.FETCH):
            return Judged("allow", call.args)
        prompt = play.messages[1]["content"].lower()
        read = "\n".join(one["content"] for one in play.messages if one["role"] == "tool").lower()
        for name, value in call.args.items():
            if tool.arguments.get(name) not in (Role.TARGET, Role.AMOUNT, Role.SECRET):
                continue
            for text in re.findall(r"[^\s\[\]{}'\",]+", str(value).lower()):
                if text in read and text not in prompt:
                    return Judged("block", call.args, f"{name} is tainted")
        return Judged("allow", call.args)

    return judge


def ours(suite: Suite, *, manifest: bool) -> Policy:
    """Return Bartizan's policy, with the suite's manifest or with everything inferred."""
    written = manifest_of(suite.name) if manifest else Manifest()
    tools = [tool_spec(tool) for tool in suite.tools]
    empty = context_of((), tools, written)

    def judge(play: Play, call: Call) -> Judged:
        known, context = play.state or (0, empty)
        new = [message(number, play.messages[number]) for number in range(known, len(play.messages))]
        context = replace(context.followed_by(new[:-1]), endorsed=tuple(play.endorsed))
        play.state = (len(play.messages), context.followed_by(new[-1:]))
        asked = next(part for part in new[-1].parts if isinstance(part, ToolCall))
        said = decide(asked, context)
        args = json.loads(said.arguments) if said.arguments is not None else call.args
        effect = context.tool(call.tool).effect
        yes = [Endorsement(effect, form_of(place.value)) for place in said.provenance]
        return Judged(said.verdict, args, f"{said.reason}: {said.why}", yes)

    return judge
