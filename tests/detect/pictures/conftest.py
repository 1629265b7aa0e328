"""The networks and the reading process, loaded once for all tests of pictures."""

from collections.abc import Iterator

import pytest

from bartizan.detect.pictures.answers import Limits
from bartizan.detect.pictures.models import models
from bartizan.detect.pictures.reader import PictureReader
from bartizan.detect.pictures.recognition import Recogniser


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """Return the networks in this process."""
    return Recogniser(models())


@pytest.fixture(scope="session")
def reader() -> Iterator[PictureReader]:
    """Yield a reader with its process."""
    with PictureReader(Limits(pixels=4_000_000)) as started:
        yield started
