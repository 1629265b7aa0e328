"""What signing costs on 1 GB, and whether the OpenSSF tool and ours accept each other's bundles. `make bench-sign`.

The other tool is run as a command when `model_signing` is on the path (pip install model-signing pyOpenSSL, in an
environment of its own); without it that part is reported as not measured. Keyless signatures need the extra `sigstore`
here too; the services are our own (tests/supply/sigstore_services.py), not Sigstore's public ones. Each figure is the
median of five runs. `ARGS="--only interoperation"` runs that part alone.
"""

import datetime
import importlib.util
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan import __version__
from bartizan.core.errors import BadEvidence
from bartizan.supply import keyless, signing
from bartizan.supply.manifest import differences, measure

RESULT = Path(__file__).parent / "results" / "sign.json"
SIZE = 1_000_000_000
REPEATS = 5
USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def keys(folder):
    """Write a key pair and return the private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pub").write_bytes(public)
    return key


def speed(folder, key):
    """Sign and verify a folder of 1 GB."""
    model = folder / "big"
    model.mkdir()
    for number in range(10):
        (model / f"{number}.bin").write_bytes(bytes([number]) * (SIZE // 10))
    signed, verified = [], []
    for _ in range(REPEATS):
        start = time.perf_counter()
        bundle = json.dumps(signing.sign(measure(model), key)).encode()
        middle = time.perf_counter()
        wrong = differences(signing.verify(bundle, signing.TrustedKey(key.public_key())), measure(model))
        verified.append(time.perf_counter() - middle)
        signed.append(middle - start)
        if wrong:
            raise SystemExit(f"does not verify: {wrong}")
    return {"bytes": SIZE, "repeats": REPEATS, "sign_s": spread(signed), "verify_s": spread(verified)}


def spread(values):
    """Return median, least and most."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def certified(folder, key):
    """Write a root, and a certificate of it for the key; return the chain."""
    root_key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root")])
    now = datetime.datetime.now(datetime.UTC)

    def certificate(subject, public, ca):
        usage = dict.fromkeys(USAGES, False) | {"key_cert_sign" if ca else "digital_signature": True}
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
        made = made.not_valid_after(now + datetime.timedelta(9))
        made = made.add_extension(x509.BasicConstraints(ca, None), True).add_extension(x509.KeyUsage(**usage), True)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        made = made.add_extension(authority, False)
        if not ca:
            alternative = x509.SubjectAlternativeName([x509.RFC822Name("signer@bartizan.example")])
            made = made.add_extension(alternative, False)
            made = made.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]), False)
        return made.sign(root_key, hashes.SHA384())

    root = certificate(name, root_key.public_key(), True)
    signer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Signer")])
    leaf = certificate(signer, key.public_key(), False)
    for file, one in (("root.pem", root), ("leaf.pem", leaf)):
        (folder / file).write_bytes(one.public_bytes(serialization.Encoding.PEM))
    return leaf, root


def interoperation(folder, key):
    """Let each side verify the other's bundle, untouched and with one byte changed, by key and by certificate."""
    tool = shutil.which("model_signing")
    if tool is None:
        return "not measured: model_signing is not on the path"
    leaf, root = certified(folder, key)
    private = ("--private_key", str(folder / "key.pem"))
    ways = {
        "key": (
            (*private,),
            ("--public_key", str(folder / "key.pub")),
            signing.TrustedKey(key.public_key()),
            (),
        ),
        "certificate": (
            (
                *private,
                "--signing_certificate",
                str(folder / "leaf.pem"),
                "--certificate_chain",
                str(folder / "root.pem"),
            ),
            ("--certificate_chain", str(folder / "root.pem")),
            signing.TrustedRoots((root,)),
            (leaf, root),
        ),
    }
    answers = {}
    for way, (to_sign, to_verify, trust, chain) in ways.items():
        model, bundle = folder / way, folder / f"{way}.sig"
        (model / "part").mkdir(parents=True)
        (model / "a.bin").write_bytes(b"weights")
        (model / "part/b.bin").write_bytes(b"more")

        def theirs(verb, *words, way=way, model=model, bundle=bundle):
            command = [tool, verb, way, str(model), *words, "--signature", str(bundle)]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0

        def ours(bundle=bundle, trust=trust, model=model):
            return not differences(signing.verify(bundle.read_bytes(), trust), measure(model))

        bundle.write_text(json.dumps(signing.sign(measure(model), key, chain)))
        answers[f"{way}: theirs accepts ours"] = theirs("verify", *to_verify)
        (model / "a.bin").write_bytes(b"weightr")
        answers[f"{way}: theirs refuses ours when changed"] = not theirs("verify", *to_verify)
        bundle.unlink()
        theirs("sign", *to_sign)
        answers[f"{way}: ours accepts theirs"] = ours()
        (model / "a.bin").write_bytes(b"weights")
        answers[f"{way}: ours refuses theirs when changed"] = not ours()
    return answers | keyless_interoperation(folder / "keyless", tool)


def keyless_interoperation(folder, tool):
    """Let each side verify the other's keyless bundle: signed, changed, and for another identity."""
    if importlib.util.find_spec("sigstore") is None:
        return {}
    from tests.supply.sigstore_services import Services, serving, token

    who, issuer = "ada@bartizan.example", "https://id.bartizan.example"
    services, model, bundle = Services(), folder / "model", folder / "model.sig"
    model.mkdir(parents=True)
    (model / "a.bin").write_bytes(b"weights")
    root, config = folder / "root.json", folder / "config.json"
    root.write_text(json.dumps(services.trusted_root()))

    def theirs(verb, *words):
        command = [tool, verb, "sigstore", str(model), "--signature", str(bundle), "--trust_config", str(config)]
        return subprocess.run([*command, *words], capture_output=True, check=False).returncode == 0

    def ours(name=who):
        try:
            signed = keyless.verify(bundle.read_bytes(), keyless.TrustedIdentity(name, issuer, root))
        except BadEvidence:
            return False
        return not differences(signed, measure(model))

    def accept(name):
        return theirs("verify", "--identity", name, "--identity_provider", issuer)

    answers = {}
    with serving(services) as address:
        config.write_text(json.dumps(services.configuration(address)))
        bundle.write_bytes(keyless.sign(measure(model), token(who, issuer), config))
        answers["keyless: theirs accepts ours"] = accept(who)
        answers["keyless: theirs refuses ours for somebody else"] = not accept("eve@bartizan.example")
        (model / "a.bin").write_bytes(b"weightr")
        answers["keyless: theirs refuses ours when changed"] = not accept(who)
        bundle.unlink()
        theirs("sign", "--identity_token", token(who, issuer))
    answers["keyless: ours accepts theirs"] = ours()
    answers["keyless: ours refuses theirs for somebody else"] = not ours("eve@bartizan.example")
    (model / "a.bin").write_bytes(b"weights")
    answers["keyless: ours refuses theirs when changed"] = not ours()
    return answers


def main(parts):
    """Measure, write the result, print it. Parts that are not asked for keep what an earlier run said."""
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = keys(folder)
        result |= {
            "bartizan": __version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cryptography": version("cryptography"),
        }
        result |= {part: PARTS[part](folder, key) for part in parts}
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name in ("sign_s", "verify_s"):
        print(f"{name:<10} 1 GB: {result['speed'][name]['median']:.2f} s")
    print("interoperation:", json.dumps(result["interoperation"]))
    answers = result["interoperation"]
    return 0 if isinstance(answers, str) or all(answers.values()) else 1


PARTS = {"speed": speed, "interoperation": interoperation}


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:] if sys.argv[1:2] == ["--only"] else PARTS))
