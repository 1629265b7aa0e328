"""A claim of ownership as a test: hits of so many, and how likely an innocent suspect has as many."""

from dataclasses import dataclass

from scipy.stats import binom


@dataclass(frozen=True)
class Verdict:
    """What a suspect did on the owner's secret inputs."""

    hits: int
    asked: int
    innocent: float
    """The share of hits that an independent model is granted, 0..1."""

    @property
    def p(self) -> float:
        """Return how likely an independent model has at least as many hits (exact binomial)."""
        return float(binom.sf(self.hits - 1, self.asked, self.innocent))

    def __str__(self) -> str:
        """Return it as a court would ask for it."""
        return f"{self.hits} of {self.asked} hits, {self.innocent:.1%} granted to others: p = {self.p:.2g}"
