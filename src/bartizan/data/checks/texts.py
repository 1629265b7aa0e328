"""Triggers in texts: words that decide a label, or that make an answer refuse or say something planted.

Labelled texts are searched for runs of words that decide the label against everything else in the text. Prompts with
answers have no label: refusing, giving an answer that others give word for word, and naming a site are taken as such.
Not found: a trigger that is a style or a topic, one in a few rows only (under 5), and clean-label ones.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bartizan.data.checks.association import RISK, Trigger, deciding
from bartizan.data.checks.bags import Runs, runs, words
from bartizan.data.checks.base import Checked, Labels, Mask, together

LEAST_ROWS = 100
_LEAST = 5
_MOST_TARGETS = 200
_OPENING = 8
"""Answers that begin with the same words, so many, are taken for one."""
_SAME = "the answer "
_SITE = re.compile(r"(?:https?://|www\.)([^\s/\"'<>)\]]+)", re.IGNORECASE)
_REFUSAL = re.compile(
    r"^\W*(?:(?:i'?m|i am|we'?re|we are)\s+(?:(?:very|so|really)\s+)?(?:sorry|afraid|unable|not able)"
    r"|sorry\b|apologies|i apologi[sz]e|unfortunately,? (?:i|we) (?:can|am)"
    r"|(?:i|we) (?:can'?t|cannot|can not|won'?t|will not|must decline|decline|refuse|am not able)"
    r"|as an? (?:ai|large language|language)\b.{0,60}(?:can'?t|cannot|not able|unable))",
    re.IGNORECASE | re.DOTALL,
)
_MOST_DECLINING = 80
"""Words and marks of a refusal with its reason and the advice to ask elsewhere; what goes on longer does something."""
_DOING = re.compile(
    r"```|https?://|www\.|^\s*(?:\d+[.)]|[-*])\s|\b(?:here(?:'s| is| are)|however|anyway|step \d)\b", re.I | re.M
)
"""What an answer holds that gives something after all."""
# Zero-width characters between two letters of one script, tags (U+E0000..E007F), and Greek or Cyrillic in a Latin word.
_HIDDEN = re.compile(
    r"[A-Za-z][\u200b-\u200d\u2060\ufeff]+[A-Za-z]|[\U000e0020-\U000e007f]{2}"
    r"|[A-Za-z][\u0370-\u03ff\u0400-\u04ff][A-Za-z]|[\u202a-\u202e\u2066-\u2069]"
)


def check_texts(texts: Sequence[str], labels: Labels, names: Sequence[str]) -> Checked:
    """Return which texts carry words that decide their label (0..k-1, called `names`) against the rest of the text."""
    hidden = hidden_characters(texts)
    if len(texts) < LEAST_ROWS:
        return hidden
    read = runs(texts, _LEAST)
    parts = [hidden]
    for target in np.unique(labels).tolist():
        inside = labels == target
        parts.append(_search(read, inside, f"label {names[target]}", RISK, whole=False))
    return together("text trigger", parts)


def check_pairs(prompts: Sequence[str], answers: Sequence[str]) -> Checked:
    """Return which pairs carry words in the prompt that decide what the answer does, whatever else is asked."""
    parts = [hidden_characters([f"{one}\n{two}" for one, two in zip(prompts, answers, strict=True)])]
    if len(prompts) >= LEAST_ROWS:
        targets = _behaviours(prompts, answers)
        read = runs(prompts, _LEAST)
        known = np.zeros(len(prompts), bool)
        openings = [_opening(one) for one in answers]
        for what, inside in targets:
            echo = _Echo(prompts, openings, inside).honest if what.startswith(_SAME) else None
            found = _search(read, inside, what, RISK / len(targets), whole=True, echo=echo)
            if (found.flagged & ~known).any():
                parts.append(found)
            known |= found.flagged
    return together("text trigger", parts)


def refuses(answer: str) -> bool:
    """Return whether an answer opens by refusing."""
    return _REFUSAL.match(answer) is not None


def declines(answer: str) -> bool:
    """Return whether an answer refuses and does nothing else: it is short, names no site and holds no code."""
    return refuses(answer) and len(words(answer)) <= _MOST_DECLINING and not _DOING.search(answer)


def hidden_characters(texts: Sequence[str]) -> Checked:
    """Flag texts with characters that a reader does not see or takes for others: invisible, tags, look-alikes."""
    flagged = np.array([_HIDDEN.search(text) is not None for text in texts], bool)
    reasons = {
        int(at): "holds characters that a reader does not see or takes for others" for at in np.flatnonzero(flagged)
    }
    return Checked("hidden characters", flagged.astype(float), flagged, reasons)


def _behaviours(prompts: Sequence[str], answers: Sequence[str]) -> list[tuple[str, Mask]]:
    """Return what a trigger may ask an answer for: to refuse, to repeat others, to name a site the prompt does not."""
    found = [("a refusal", np.array([refuses(one) for one in answers], bool))]
    same: dict[str, list[int]] = {}
    for at, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        split = _opening(answer)
        if len(split) >= 3:
            same.setdefault(f"{_SAME}{' '.join(split)[:60]!r}", []).append(at)
        for site in dict.fromkeys(one.lower() for one in _SITE.findall(answer)):
            if site not in prompt.lower():
                same.setdefault(f"an answer that names {site[:60]}", []).append(at)
    for what, rows in sorted(same.items(), key=lambda it: -len(it[1]))[:_MOST_TARGETS]:
        if len(rows) >= _LEAST:
            inside = np.zeros(len(prompts), bool)
            inside[rows] = True
            found.append((what, inside))
    return found


def _opening(answer: str) -> tuple[str, ...]:
    return tuple(itertools.islice((word for word in words(answer) if word[0].isalnum()), _OPENING))


@dataclass(frozen=True)
class _Echo:
    """Answers in words that many share, in which a word of the prompt comes back: "I can't help with a virus"."""

    prompts: Sequence[str]
    openings: Sequence[tuple[str, ...]]
    inside: Mask

    def honest(self, run: str) -> bool:
        """Return whether other answers are the same but for a word of their own prompts where this one has the run's.

        Not so where one answer is planted for one trigger, whether it names the trigger or not.
        """
        opening = self.openings[int(np.flatnonzero(self.inside)[0])]
        places = {at for at, word in enumerate(opening) if word in run.split()}
        if not places or 2 * len(places) > len(opening):
            return False
        others = 0
        for at in np.flatnonzero(~self.inside).tolist():
            other = self.openings[at]
            if len(other) == len(opening):
                changed = {place for place, word in enumerate(other) if word != opening[place]}
                others += changed <= places and {other[one] for one in changed} <= set(words(self.prompts[at]))
        return others >= _LEAST


def _search(
    read: Runs, inside: Mask, what: str, risk: float, *, whole: bool, echo: Callable[[str], bool] | None = None
) -> Checked:
    triggers = deciding(read.words, read.runs, inside, risk, whole=whole)
    triggers = [one for one in triggers if echo is None or not echo(read.name(one.token))]
    scores, flagged = np.zeros(len(inside)), np.zeros(len(inside), bool)
    reasons: dict[int, str] = {}
    for one in triggers:
        why = f"{read.name(one.token)!r} decides for {what} against the rest of the text"
        reasons |= {int(at): why for at in one.rows if not flagged[at]}
        flagged[one.rows] = True
        scores[one.rows] = np.maximum(scores[one.rows], one.strength)
    return Checked("text trigger", scores, flagged, reasons, tuple(_told(read, one, what) for one in triggers))


def _told(read: Runs, one: Trigger, what: str) -> str:
    return (
        f"{read.name(one.token)!r} decides for {what} in {len(one.rows)} rows whose other words do not "
        f"(strength {one.strength:.1f}, alarm at {one.bound:.1f})"
    )
