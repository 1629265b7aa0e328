"""Models: the networks are those that were examined, or they are not used."""

import sys

import pytest

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.detect.pictures import models as module
from bartizan.detect.pictures.models import INSTALL, models


def test_the_networks_are_read_without_importing_the_package_that_carries_them():
    found = models()
    assert len(found.finds) > 1 << 20
    assert len(found.reads) > 1 << 20
    assert "rapidocr" not in sys.modules
    assert "cv2" not in sys.modules


def test_a_changed_network_is_refused(monkeypatch):
    monkeypatch.setattr(module, "READS", (module.READS[0], "0" * 64))
    with pytest.raises(BadArtifact, match="SHA-256"):
        models()


def test_a_missing_package_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(module, "PACKAGE", "no-such-package-here")
    with pytest.raises(BadSettings) as raised:
        models()
    assert raised.value.hint() == INSTALL


def test_a_missing_extra_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(module, "_NEEDED", ("onnxruntime", "no_such_module_here"))
    with pytest.raises(BadSettings, match="no_such_module_here"):
        models()
