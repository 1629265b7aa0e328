"""What signing costs on 1 GB, and whether the OpenSSF tool and ours accept each other's bundles. `make bench-sign`.

The other tool is run as a command when `model_signing` is on the path (pip install model-signing pyOpenSSL, in an
environment of its own); without it that part is reported as not measured. Each figure is the median of five runs.
"""

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

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan import __version__
from bartizan.supply import signing
from bartizan.supply.manifest import differences, measure

RESULT = Path(__file__).parent / "results" / "sign.json"
SIZE = 1_000_000_000
REPEATS = 5


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


def interoperation(folder, key):
    """Let each side verify the other's bundle, untouched and with one byte changed."""
    tool = shutil.which("model_signing")
    if tool is None:
        return "not measured: model_signing is not on the path"
    model = folder / "small"
    (model / "part").mkdir(parents=True)
    (model / "a.bin").write_bytes(b"weights")
    (model / "part/b.bin").write_bytes(b"more")

    def theirs(*words):
        command = [tool, *words, "--signature", str(folder / "s.sig")]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def ours():
        signed = signing.verify((folder / "s.sig").read_bytes(), signing.TrustedKey(key.public_key()))
        return not differences(signed, measure(model))

    answers = {}
    (folder / "s.sig").write_text(json.dumps(signing.sign(measure(model), key)))
    check = ("verify", "key", str(model), "--public_key", str(folder / "key.pub"))
    answers["theirs accepts ours"] = theirs(*check)
    (model / "a.bin").write_bytes(b"weightr")
    answers["theirs refuses ours when changed"] = not theirs(*check)
    (folder / "s.sig").unlink()
    theirs("sign", "key", str(model), "--private_key", str(folder / "key.pem"))
    answers["ours accepts theirs"] = ours()
    (model / "a.bin").write_bytes(b"weights")
    answers["ours refuses theirs when changed"] = not ours()
    return answers


def main():
    """Measure, write the result, print it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = keys(folder)
        result = {
            "bartizan": __version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cryptography": version("cryptography"),
            "speed": speed(folder, key),
            "interoperation": interoperation(folder, key),
        }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name in ("sign_s", "verify_s"):
        print(f"{name:<10} 1 GB: {result['speed'][name]['median']:.2f} s")
    print("interoperation:", json.dumps(result["interoperation"]))
    answers = result["interoperation"]
    return 0 if isinstance(answers, str) or all(answers.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
