"""Keyless signatures against a Sigstore of our own: signed over HTTP, verified offline, refused for anybody else."""

import base64
import json
import sys

import pytest

from bartizan.cli.main import main
from bartizan.core.errors import BadEvidence, BadSettings, UpstreamFailed
from bartizan.supply import keyless
from bartizan.supply.keyless import TrustedIdentity
from bartizan.supply.manifest import measure

WHO, ISSUER = "ada@bartizan.example", "https://id.bartizan.example"


def test_without_the_extra_it_says_what_is_missing(tmp_path, monkeypatch):
    """Not verified, and no guess."""
    monkeypatch.setitem(sys.modules, "sigstore.models", None)
    with pytest.raises(BadSettings, match="not installed"):
        keyless.verify(b"{}", TrustedIdentity(WHO, ISSUER, tmp_path / "root.json"))


def test_identity_and_issuer_are_both_wanted(tmp_path, capsys):
    """An identity alone proves nothing: any issuer could vouch for it."""
    (tmp_path / "m").write_bytes(b"weights")
    (tmp_path / "m.sig").write_bytes(b"{}")
    assert main(["verify", str(tmp_path / "m"), "--identity", WHO]) == 2
    assert "--issuer" in capsys.readouterr().err
    with pytest.raises(BadSettings, match="both"):
        keyless.verify(b"{}", TrustedIdentity(WHO, "", tmp_path / "root.json"))


@pytest.fixture
def signed(tmp_path):
    """A model that is signed with an identity, and the services that vouch for it."""
    pytest.importorskip("sigstore")
    from tests.supply.sigstore_services import Services, serving, token

    services = Services()
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a.bin").write_bytes(b"weights")
    (tmp_path / "token").write_text(token(WHO, ISSUER))
    (tmp_path / "root.json").write_text(json.dumps(services.trusted_root()))

    def sign(said=WHO):
        (tmp_path / "token").write_text(token(said, ISSUER))
        with serving(services) as address:
            (tmp_path / "config.json").write_text(json.dumps(services.configuration(address)))
            words = ["--keyless", "--token", str(tmp_path / "token"), "--trust-config", str(tmp_path / "config.json")]
            return main(["sign", str(tmp_path / "m"), *words])

    assert sign() == 0
    sign.services, sign.folder, sign.bundle = services, tmp_path, tmp_path / "m.sig"
    return sign


def trusted(signed, **changes):
    """Return the words of the command line that trust the signer."""
    words = {"identity": WHO, "issuer": ISSUER, "trusted-root": signed.folder / "root.json"} | changes
    return [str(signed.folder / "m"), *(part for name, value in words.items() for part in (f"--{name}", str(value)))]


def test_signed_by_an_identity_and_verified_without_a_network(signed, capsys):
    """The services are gone by then; a changed file is named."""
    assert main(["verify", *trusted(signed)]) == 0
    (signed.folder / "m" / "a.bin").write_bytes(b"weightz")
    assert main(["verify", *trusted(signed)]) == 1
    assert "a.bin" in capsys.readouterr().out
    assert signed("https://github.com/a/b/.github/workflows/c.yml@refs/heads/main") == 0
    assert main(["verify", *trusted(signed)]) == 1


@pytest.mark.parametrize(
    "changes", [{"identity": "eve@bartizan.example"}, {"issuer": "https://id.other.example"}, {"identity": ""}]
)
def test_somebody_else_is_refused(signed, changes, capsys):
    """By identity and by issuer, exactly."""
    assert main(["verify", *trusted(signed, **changes)]) != 0
    capsys.readouterr()


def test_another_root_does_not_vouch(signed, capsys):
    """The same names, other keys: for the authority, for either log."""
    from tests.supply.sigstore_services import Services

    ours, theirs = signed.services.trusted_root(), Services().trusted_root()
    for part in ("certificateAuthorities", "ctlogs", "tlogs"):
        (signed.folder / "other.json").write_text(json.dumps(ours | {part: theirs[part]}))
        assert main(["verify", *trusted(signed, **{"trusted-root": signed.folder / "other.json"})]) == 1
    (signed.folder / "other.json").write_text("{}")
    assert main(["verify", *trusted(signed, **{"trusted-root": signed.folder / "other.json"})]) != 0
    assert main(["verify", *trusted(signed, **{"trusted-root": signed.folder / "none.json"})]) == 2
    capsys.readouterr()


def damaged(bundle):
    """Yield the bundle with one thing changed, and what it is."""
    entry = bundle["verificationMaterial"]["tlogEntries"][0]

    def copy():
        return json.loads(json.dumps(bundle))

    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).replace(b"a.bin", b"b.bin")
    changed = copy()
    changed["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    yield "payload", changed
    for name, value in (
        ("integratedTime", str(int(entry["integratedTime"]) + 1)),
        ("canonicalizedBody", base64.b64encode(b"{}").decode()),
        ("inclusionPromise", None),
        ("inclusionProof", None),
    ):
        changed = copy()
        changed["verificationMaterial"]["tlogEntries"][0][name] = value
        yield name, changed
    changed = copy()
    changed["verificationMaterial"]["tlogEntries"] = []
    yield "no entry", changed
    changed = copy()
    proof = changed["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    proof["hashes"] = [base64.b64encode(bytes(32)).decode()]
    yield "hashes", changed
    yield "nothing", {}


def test_every_part_of_the_proof_counts(signed):
    """Signature, log entry, proof of inclusion, promise and time."""
    bundle = json.loads(signed.bundle.read_text())
    trust = TrustedIdentity(WHO, ISSUER, signed.folder / "root.json")
    assert keyless.verify(json.dumps(bundle).encode(), trust) == measure(signed.folder / "m")
    for what, changed in damaged(bundle):
        with pytest.raises(BadEvidence):
            pytest.fail(f"{what}: {keyless.verify(json.dumps(changed).encode(), trust)}")


def test_a_signature_after_the_certificate_was_over(signed):
    """The log's time decides, not the clock of whoever verifies."""
    signed.services.log_is_late_s = 3600
    assert signed() == 0
    trust = TrustedIdentity(WHO, ISSUER, signed.folder / "root.json")
    with pytest.raises(BadEvidence):
        keyless.verify(signed.bundle.read_bytes(), trust)


def test_services_that_cannot_be_reached(signed):
    """An error that says so."""
    (signed.folder / "token").write_text("no token")
    with pytest.raises(UpstreamFailed, match="keyless signing failed"):
        keyless.sign(measure(signed.folder / "m"), "no token", signed.folder / "config.json")
