"""What a tool is taken for when the operator wrote nothing: from its name, its JSON Schema and its annotations.

Inference is careful: a tool whose name says nothing changes things, and an argument that names nothing known is a
target wherever harm cannot be undone. Annotations of a tool's server can only make this stricter, never milder: who
describes a tool may be the attacker (MCP, "tool annotations are untrusted"). Fields of a result are believed by name
only for tools that list or look up records, never for tools that return a page, a file or a text.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from bartizan.core.messages import ToolSpec
from bartizan.policy.manifest import Effect, Kind, Result, Role, Tool, properties, singular, words_of
from bartizan.policy.verbs import named

_LONGEST_NAME = 200
"""What stands behind this much of an argument's name says nothing about it, and is not kept."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ARGUMENTS = (
    (Role.SECRET, _words("password passwd secret token apikey key credential credentials otp pin passphrase")),
    (
        Role.AMOUNT,
        _words(
            "amount price quantity total sum budget limit temperature replicas percent percentage volume brightness"
            " rate"
        ),
    ),
    (
        Role.WHEN,
        _words(
            "date time datetime start end when day deadline until since duration minutes hours interval due expires"
            " expiry checkin checkout departure arrival"
        ),
    ),
    (
        Role.CONTENT,
        _words(
            "subject body content message text title description note notes comment summary reason details"
            " instructions caption headline agenda remarks memo priority severity category type format language"
            " locale timezone currency location color colour icon labels tags payload data value values fields"
            " properties attributes metadata query filter"
        ),
    ),
    (
        Role.TARGET,
        _words(
            "recipient recipients to cc bcc email emails address addresses url uri link host domain channel user"
            " users username login handle participants participant attendees attendee invitees assignee assignees"
            " reviewer reviewers owner member members account iban id ids uuid arn file files filename path paths"
            " folder directory destination dest target source webhook repo repository branch name names hotel"
            " restaurant city phone number callback endpoint company customer client contact contacts employee"
            " person people patient vendor supplier beneficiary payee merchant order ticket invoice card sku"
            " product device devices room door camera alarm garage service function bucket instance server cluster"
            " namespace database table topic queue project team group groups workspace site playlist deal lead"
            " campaign package command cmd sql script code flight train vehicle car"
        ),
    ),
)
_NAMES_ONE = _words("id ids uuid guid arn iban number no ref reference slug sku")
"""The last word of an argument or a field that says which one, whatever the words before it."""
_CALLED = _words("name filename path title file")
_SECRET_KEYS = _words("api secret access private ssh encryption license signing auth master")
_SECRET_CODES = _words("security pin verification door entry otp reset backup recovery unlock gate alarm auth 2fa mfa")
_STRICT = (Effect.PAY, Effect.DELETE, Effect.EXECUTE)
_FIELDS = (
    (Kind.SECRET, _words("password passwd secret token apikey otp pin ssn passport card cvv bank")),
    (Kind.ID, _words("id uuid guid ids number key reference sku arn")),
    (Kind.NAME, _words("title name filename subject")),
    (
        Kind.META,
        _words(
            "sender from recipient recipients to owner author participants members shared email mail phone handle"
            " user amount size price cost date time start end created modified timestamp rating stars count total"
            " balance status employee person customer client contact assignee reporter requester creator patient"
            " guest passenger username"
        ),
    ),
)
_FREE_TEXT = _words(
    "page webpage web website url http content contents text body file document read browse fetch note comment"
    " transcript article story wiki blog readme snippet paste log logs output chunk passage"
)
"""A tool with one of these words in its name, and no word for finding records, returns somebody's text."""
_THINGS = _words(
    "channel team project group label room device calendar workspace repository repo branch playlist folder"
)
_PEOPLE = _words("user member participant attendee contact employee person people customer")
"""A plain list of these is a list of names that a system wrote."""
_FINDS = _words("list search find query lookup")


@lru_cache(maxsize=4096)
def _inferred(spec: ToolSpec, destructive: bool, changing: bool) -> Tool:
    said = named(spec.name)
    words, effect = words_of(spec.name), said.effect
    if effect in (Effect.READ, Effect.FETCH) and (destructive or changing):
        effect = Effect.DELETE if destructive else Effect.WRITE
    roles = {name: _role(name, schema, effect) for name, schema in properties(spec.schema).items()}
    for name, role in roles.items():
        if role is Role.LABEL and {singular(word) for word in words_of(name)} & set(said.things):
            roles[name] = Role.TARGET  # the machine of stop_machine
    if effect is Effect.READ and any(_leads_away(name) for name in roles):
        effect = Effect.FETCH
    return Tool(
        effect,
        roles,
        result=_result(words, effect),
        objects=said.things,
        objects_only=said.sensitive,
        acts=said.acts if effect is said.effect else (),
        named_by=tuple(name for name in roles if set(words_of(name)) & _CALLED) if said.makes else None,
    )


def infer(spec: ToolSpec, annotations: Mapping[str, Any] | None = None) -> Tool:
    """Return what name, schema and annotations say about a tool nobody described."""
    hints = annotations or {}
    return _inferred(spec, hints.get("destructiveHint") is True, hints.get("readOnlyHint") is False)


def role_of(tool: Tool, argument: str) -> Role:
    """Return the role of an argument, one that the schema does not name included."""
    return tool.arguments.get(argument) or _role_by_name(argument[:_LONGEST_NAME], tool.effect)


def kind_of(field: str) -> Kind:
    """Return what a field of a record is taken for by its name."""
    return _kind_of(field[:_LONGEST_NAME])


@lru_cache(maxsize=4096)
def _kind_of(field: str) -> Kind:
    words = {singular(word) for word in words_of(field)} | set(words_of(field))
    if ("key" in words and words & _SECRET_KEYS) or ("code" in words and (len(words) == 1 or words & _SECRET_CODES)):
        return Kind.SECRET
    for kind, names in _FIELDS:
        if words & names:
            return kind
    return Kind.CONTENT


def _result(words: Sequence[str], effect: Effect) -> Result | None:
    """Return that fields are taken by their names, and what a plain list is; None for tools that return free text."""
    if effect in (Effect.FETCH, Effect.EXECUTE) or (
        effect is Effect.READ and set(words) & _FREE_TEXT and not set(words) & _FINDS
    ):
        return None
    listed = {singular(word) for word in words} & (_THINGS | _PEOPLE)
    if effect is not Effect.READ or not listed:
        return Result(by_name=True)
    everybody = {"people", "everyone"} if listed & _PEOPLE else set()
    return Result(by_name=True, items=Kind.META, called={"": sorted(listed | everybody)})


def _role(name: str, schema: Mapping[str, Any], effect: Effect) -> Role:
    words = set(words_of(name))
    if schema.get("format") in ("uri", "email", "hostname", "iri", "url"):
        return Role.TARGET
    if effect is Effect.EXECUTE:
        return Role.TARGET
    if len(words) > 1 and words_of(name)[-1] in _NAMES_ONE:
        return Role.TARGET
    for role, names in _ARGUMENTS:
        if words & names:
            return role
    if words == {"reference"}:
        return Role.CONTENT
    if effect is Effect.READ:
        return Role.SELECTOR
    if effect in _STRICT:
        return Role.TARGET
    return Role.CONTENT if effect is Effect.FETCH or schema.get("type") == "boolean" or "enum" in schema else Role.LABEL


@lru_cache(maxsize=4096)
def _role_by_name(name: str, effect: Effect) -> Role:
    return _role(name, {}, effect)


def _leads_away(name: str) -> bool:
    return bool(set(words_of(name)) & {"url", "uri", "link", "host", "webhook", "endpoint", "domain"})
