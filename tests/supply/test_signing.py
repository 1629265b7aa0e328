"""What was signed verifies; nothing else does. A bundle made by the OpenSSF tool verifies too."""

import base64
import copy
import datetime
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.supply import signing
from bartizan.supply.manifest import Manifest, differences, measure

GOLDEN = json.loads(Path(__file__).with_name("model_signing_1_1_1.json").read_text(encoding="utf-8"))
MODEL = Manifest("model", {"a.bin": "11" * 32, "part/b.bin": "22" * 32})
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
TRUST = signing.TrustedKey(KEY.public_key())
NOW = datetime.datetime.now(datetime.UTC)


def packed(bundle):
    """Return the bundle as the bytes of its file."""
    return json.dumps(bundle).encode()


def resigned(change, manifest=MODEL):
    """Return a bundle whose statement was changed before it was signed with the trusted key."""
    bundle = signing.sign(manifest, KEY)
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    change(statement)
    payload = json.dumps(statement).encode()
    covered = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    signature = KEY.sign(covered, ec.ECDSA(hashes.SHA256()))
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    return packed(bundle)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_what_was_signed_verifies(curve):
    """On each curve, and it is the same manifest."""
    key = ec.generate_private_key(curve)
    assert signing.verify(packed(signing.sign(MODEL, key)), signing.TrustedKey(key.public_key())) == MODEL


def test_a_bundle_of_the_openssf_tool_verifies(tmp_path):
    """Made by model-signing 1.1.1; the same files give no difference, another one does."""
    folder = tmp_path / "gold"
    (folder / "part").mkdir(parents=True)
    (folder / "model.bin").write_text("weights\n")
    (folder / "part/b.txt").write_text("more\n")
    trust = signing.TrustedKey(signing.public_key(GOLDEN["public_key"].encode()))
    signed = signing.verify(packed(GOLDEN["bundle"]), trust)
    assert signed == measure(folder)
    (folder / "model.bin").write_text("weightS\n")
    assert [one.where for one in differences(signed, measure(folder))] == ["model.bin"]


def test_another_key_does_not_verify():
    """Neither when the bundle says so nor when it hides it."""
    bundle = signing.sign(MODEL, OTHER)
    with pytest.raises(BadEvidence, match="signed by key"):
        signing.verify(packed(bundle), TRUST)
    bundle["verificationMaterial"]["publicKey"] = {}
    with pytest.raises(BadEvidence, match="does not belong"):
        signing.verify(packed(bundle), TRUST)


def test_a_changed_statement_does_not_verify():
    """Content that was signed cannot be exchanged."""
    bundle = signing.sign(MODEL, KEY)
    other = signing.sign(Manifest("model", {"a.bin": "33" * 32}), OTHER)
    bundle["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    with pytest.raises(BadEvidence, match="does not belong"):
        signing.verify(packed(bundle), TRUST)


def test_a_second_signature_is_refused():
    """Which of two counts is a question readers answer differently."""
    bundle = signing.sign(MODEL, KEY)
    bundle["dsseEnvelope"]["signatures"] *= 2
    with pytest.raises(BadEvidence):
        signing.verify(packed(bundle), TRUST)


@pytest.mark.parametrize(
    "change",
    [
        lambda statement: statement["predicate"]["resources"].pop(),
        lambda statement: statement["predicate"]["resources"].append(statement["predicate"]["resources"][0]),
        lambda statement: statement["predicate"]["resources"][0].update(name="../a.bin"),
        lambda statement: statement["predicate"]["resources"][0].update(name="/etc/passwd"),
        lambda statement: statement["predicate"]["resources"][0].update(name=7),
        lambda statement: statement["predicate"]["resources"][0].update(digest="11"),
        lambda statement: statement["predicate"]["resources"][0].update(algorithm="md5"),
        lambda statement: statement["predicate"].update(resources=[]),
        lambda statement: statement["predicate"]["serialization"].update(method="shards"),
        lambda statement: statement["subject"][0]["digest"].update(sha256="0" * 64),
        lambda statement: statement.update(predicateType="https://model_signing/Digests/v0.1"),
        lambda statement: statement.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda statement: statement.update(subject=[]),
    ],
)
def test_a_statement_that_is_not_sound_does_not_verify_although_signed(change):
    """A trusted key can sign nonsense; nothing is concluded from it."""
    with pytest.raises(BadEvidence):
        signing.verify(resigned(change), TRUST)


def test_the_forger_of_these_tests_makes_good_bundles_too():
    """Without a change its bundle verifies, so what fails above fails for the change."""
    assert signing.verify(resigned(lambda statement: None), TRUST) == MODEL


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), lambda x: st.lists(x)).map(packed))
def test_anything_else_is_bad_evidence(data):
    """Whatever the bytes, no other error comes out."""
    with pytest.raises(BadEvidence):
        signing.verify(data, TRUST)


@given(st.data())
def test_a_bundle_with_a_part_taken_out_is_bad_evidence(data):
    """Every part is needed."""
    bundle = copy.deepcopy(GOLDEN["bundle"])
    place = data.draw(st.sampled_from(["", "dsseEnvelope"]))
    inner = bundle[place] if place else bundle
    del inner[data.draw(st.sampled_from(sorted(set(inner) - {"tlogEntries"})))]
    with pytest.raises(BadEvidence):
        signing.verify(packed(bundle), signing.TrustedKey(signing.public_key(GOLDEN["public_key"].encode())))


def issued(subject, key, *, by=None, issuer_key=None, ca=False, certify=None, sign=True, days=(-1, 30)):
    """Return a certificate; without `by` it is issued by itself."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    usage = x509.KeyUsage(sign, False, False, False, False, ca if certify is None else certify, False, False, False)
    start, end = (NOW + datetime.timedelta(days=day) for day in days)
    builder = x509.CertificateBuilder(by.subject if by else name, name, key.public_key(), 5, start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer_key or key).public_key())
    builder = builder.add_extension(identity, critical=False).add_extension(authority, critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


ROOT_KEY, BETWEEN_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
ROOT = issued("root", ROOT_KEY, ca=True)
BETWEEN = issued("between", BETWEEN_KEY, by=ROOT, issuer_key=ROOT_KEY, ca=True)
ROOTS = signing.TrustedRoots((ROOT,))


def test_a_signer_with_a_chain_to_a_trusted_root_verifies():
    """Through an authority in between."""
    leaf = issued("signer", KEY, by=BETWEEN, issuer_key=BETWEEN_KEY)
    assert signing.verify(packed(signing.sign(MODEL, KEY, (leaf, BETWEEN))), ROOTS) == MODEL


@pytest.mark.parametrize(
    ("leaf", "between"),
    [
        (issued("signer", KEY), ()),
        (issued("signer", KEY, by=BETWEEN, issuer_key=BETWEEN_KEY), ()),
        (issued("signer", KEY, by=BETWEEN, issuer_key=BETWEEN_KEY, sign=False), (BETWEEN,)),
        (issued("signer", KEY, by=BETWEEN, issuer_key=BETWEEN_KEY, days=(-9, -1)), (BETWEEN,)),
        (issued("signer", KEY, by=BETWEEN, issuer_key=BETWEEN_KEY, days=(1, 9)), (BETWEEN,)),
        (issued("signer", KEY, by=BETWEEN, issuer_key=OTHER), (BETWEEN,)),
    ],
    ids=["issued by itself", "link missing", "may not sign", "expired", "not yet valid", "forged"],
)
def test_a_signer_that_no_root_vouches_for_does_not_verify(leaf, between):
    """Each with a signature that would be right."""
    with pytest.raises(BadEvidence):
        signing.verify(packed(signing.sign(MODEL, KEY, (leaf, *between))), ROOTS)


@pytest.mark.parametrize(("ca", "certify"), [(False, False), (True, False)])
def test_a_signer_cannot_issue_certificates_for_others(ca, certify):
    """A certificate that is no authority, or may not issue, vouches for nobody."""
    middle = issued("middle", OTHER, by=ROOT, issuer_key=ROOT_KEY, ca=ca, certify=certify)
    leaf = issued("signer", KEY, by=middle, issuer_key=OTHER)
    with pytest.raises(BadEvidence):
        signing.verify(packed(signing.sign(MODEL, KEY, (leaf, middle))), ROOTS)


def test_a_bundle_by_key_does_not_pass_where_certificates_are_asked_for():
    """Nor the other way round with another key."""
    with pytest.raises(BadEvidence, match="no certificate chain"):
        signing.verify(packed(signing.sign(MODEL, KEY)), ROOTS)


def test_a_certificate_of_another_key_cannot_be_put_in():
    """The signer is told before anything is written."""
    with pytest.raises(BadSettings, match="does not belong"):
        signing.sign(MODEL, KEY, (ROOT,))


@pytest.mark.parametrize("pem", [b"", b"no key"])
def test_what_is_no_key_is_a_settings_error(pem):
    """For each kind of file the operator names."""
    for read in (signing.private_key, signing.public_key, signing.certificates):
        with pytest.raises(BadSettings):
            read(pem)


def test_keys_of_other_kinds_are_refused():
    """Ed25519 is not in the format's list."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    with pytest.raises(BadSettings, match="elliptic-curve"):
        signing.private_key(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    with pytest.raises(BadSettings, match="elliptic-curve"):
        signing.public_key(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
