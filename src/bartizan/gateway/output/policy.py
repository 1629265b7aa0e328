"""Which output controls look at an answer, and what each does, as the operator set it."""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from bartizan.core.messages import Prompt
from bartizan.core.sections.output import Output
from bartizan.detect import confidential
from bartizan.detect.turns.course import Course
from bartizan.gateway.output.base import Active
from bartizan.gateway.output.conduct import watched
from bartizan.gateway.output.leak import Leak, operator_texts
from bartizan.gateway.output.links import Links, given_to_the_model
from bartizan.gateway.output.personal import PersonalData, said_by_user
from bartizan.gateway.output.secrets import Secrets


class OutputPolicy:
    """Makes the controls for one answer. What depends on the operator's prompt only is made once for each."""

    def __init__(self, settings: Output) -> None:
        """Prepare the controls that are not off."""
        self._settings = settings
        self._fixed = () if settings.secrets == "off" else (Active(Secrets(), settings.secrets),)
        self._kinds = frozenset(settings.personal_kinds)
        self._leak_of = lru_cache(maxsize=256)(self._leak_control)

    def active(self, prompt: Prompt, course: Course | None = None) -> tuple[Active, ...]:
        """Return the controls for the answer to `prompt`, the last turn of `course`."""
        fixed = self._fixed
        if course is not None and self._settings.conduct != "off" and (conduct := watched(course)):
            fixed = (*fixed, Active(conduct, self._settings.conduct, opening=True))
        if self._settings.links != "off":
            links = Links(self._settings.link_hosts, _Once(given_to_the_model, prompt))
            fixed = (*fixed, Active(links, self._settings.links))
        if self._settings.personal_data != "off":
            personal = PersonalData(self._kinds, _Once(said_by_user, prompt, self._kinds))
            fixed = (*fixed, Active(personal, self._settings.personal_data))
        if self._settings.leak == "off":
            return fixed
        quotes, texts = self._settings.quotes, operator_texts(prompt)
        quoted = texts and (quotes == "always" or (quotes == "marked" and confidential.instructions_are_marked(texts)))
        canaries = (*self._settings.canaries, *(confidential.values(prompt) if texts else ()))
        if not quoted and not canaries:
            return fixed
        return (*fixed, self._leak_of(canaries, tuple(texts) if quoted else ()))

    def _leak_control(self, canaries: tuple[str, ...], texts: tuple[str, ...]) -> Active:
        return Active(Leak(canaries, texts, self._settings.quote_words), self._settings.leak)


class _Once:
    """A value that is made when it is first asked for. Cheaper to make than a cached function, and made per request."""

    __slots__ = ("_made", "_make", "_with")

    def __init__(self, make: Callable[..., Collection[str]], *values: Any) -> None:
        self._make, self._with = make, values
        self._made: Collection[str] | None = None

    def __call__(self) -> Collection[str]:
        if self._made is None:
            self._made = self._make(*self._with)
        return self._made
