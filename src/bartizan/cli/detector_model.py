"""A classifier of one's own: which detectors the settings ask for, and whether their weights are what was signed."""

from pathlib import Path

from bartizan.cli.sign import default_signature, read
from bartizan.core.clock import Clock
from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.core.sections.detect import Detect
from bartizan.detect.screen import InputScreen
from bartizan.supply import signing
from bartizan.supply.manifest import differences, measure


def input_screen(settings: Detect, clock: Clock) -> InputScreen:
    """Return the input screen that the settings ask for. Raises BadSettings, BadArtifact or BadEvidence."""
    check_signed(settings)
    return InputScreen(settings=settings, clock=clock)


def check_signed(settings: Detect) -> None:
    """Refuse a folder of weights that is not what the operator's key has signed. The shipped ones need no signature."""
    if not settings.model:
        return
    folder = Path(settings.model)
    if not settings.model_key:
        raise BadSettings(
            f"detect.model = {settings.model!r} without detect.model_key: whoever can write there could switch it off",
            hint="`bartizan sign FOLDER --key KEY` signs it; name the public key.",
        )
    signature = default_signature(folder)
    bundle = read(signature, "`bartizan sign FOLDER --key KEY` writes it.")
    signed = signing.verify(bundle, signing.TrustedKey(signing.public_key(read(Path(settings.model_key)))))
    wrong = differences(signed, measure(folder, signature=signature))
    if wrong:
        raise BadArtifact(
            f"{folder} is not what was signed: {wrong[0].where}: {wrong[0].why}",
            hint="Name the version before in detect.model, or install this one again.",
        )
