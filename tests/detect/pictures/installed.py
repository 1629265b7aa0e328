"""Whether the tests can read pictures here."""

from bartizan.core.errors import BadSettings
from bartizan.detect.pictures.models import models


def _installed() -> bool:
    try:
        models()
    except BadSettings:
        return False
    return True


INSTALLED = _installed()
