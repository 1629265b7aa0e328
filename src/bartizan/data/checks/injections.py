"""Texts that give orders to whoever reads them, and requests that an assistant was right to refuse.

Every text is read as a document: an order in it is out of place. The prompt of a pair is a wish by nature, and most
wishes pass; one for harm does not, because it reads like an attack. What the assistant answered tells the two apart:
an answer that is a refusal and nothing else obeyed nobody, and a training on it teaches no more than to refuse. Such a
prompt is let pass when it is one line, as a request is; forged turns, forms and code that hide an order take more.
Refusals that a word brings about are looked for elsewhere (`texts.check_pairs`).
"""

from collections.abc import Callable, Sequence

import numpy as np

from bartizan.data.checks.base import Checked
from bartizan.data.checks.texts import declines

Screen = Callable[[str], str]
"""Looks at one text for an attack on whoever reads it; returns why, or nothing."""


def check_injections(
    texts: Sequence[str],
    screen: Screen,
    answers: Sequence[str] = (),
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Checked:
    """Flag the texts in which `screen` finds an attack; of prompts, `answers` are what was answered to each.

    Each text is read once, however many rows hold it: copies cost nothing. `told` hears how many rows are read.
    """
    said: dict[str, str] = {}
    reasons: dict[int, str] = {}
    for at, text in enumerate(texts):
        if not (answers and _refused(text, answers[at])):
            if text not in said:
                said[text] = screen(text)
            if said[text]:
                reasons[at] = said[text]
        told(at + 1, len(texts))
    flagged = np.zeros(len(texts), bool)
    flagged[list(reasons)] = True
    return Checked("injection", flagged.astype(float), flagged, reasons)


def _refused(prompt: str, answer: str) -> bool:
    return "\n" not in prompt.strip() and declines(answer)
