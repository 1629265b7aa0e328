"""A mapping that grows without copying what it holds: what was put in first stays. Older ones stay as they were."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
_TIMES = 4
"""A layer is merged into the one below unless that one is so many times larger: copying and looking up both stay
logarithmic (O'Neil et al., "The log-structured merge-tree", 1996)."""


class Layers(Mapping[Key, int], Generic[Key]):
    """Numbers by key."""

    __slots__ = ("_layers",)

    def __init__(self, *layers: dict[Key, int]) -> None:
        """Hold the layers, oldest first. They are not changed any more."""
        self._layers = layers

    def __getitem__(self, key: Key) -> int:
        """Return the number that was put in first."""
        for layer in self._layers:
            if key in layer:
                return layer[key]
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        """Return whether there is a number."""
        return any(key in layer for layer in self._layers)

    def __iter__(self) -> Iterator[Key]:
        """Yield every key once."""
        return iter({key: None for layer in self._layers for key in layer})

    def __len__(self) -> int:
        """Return how many keys there are."""
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        """Return whether there is any key."""
        return bool(self._layers)

    def and_(self, more: dict[Key, int]) -> "Layers[Key]":
        """Return these and more numbers."""
        layers = [*self._layers, more] if more else list(self._layers)
        while len(layers) > 1 and len(layers[-2]) < _TIMES * len(layers[-1]):
            newer, older = layers.pop(), layers.pop()
            layers.append({**newer, **older})
        return Layers(*layers)
