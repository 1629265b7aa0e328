"""A Sigstore of our own on one port: a certificate authority with its log, and a transparency log. For tests only."""

import base64
import datetime
import hashlib
import json
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ISSUER, _ISSUER_TEXT = ObjectIdentifier("1.3.6.1.4.1.57264.1.1"), ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
ORIGIN = "log.bartizan.example - 1"


def encoded(data):
    """Return base64 text."""
    return base64.b64encode(data).decode()


def public(key):
    """Return the public half as DER."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def usage(**on):
    """Return a key usage extension."""
    return x509.KeyUsage(**dict.fromkeys(_USAGES, False) | on)


def signed(key, data):
    """Sign with SHA-256."""
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


class Services:
    """The keys of the services, and what they answer."""

    def __init__(self):
        """Make the keys and the authority's certificate."""
        self.authority, self.certificates, self.log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "bartizan.example")])
        now = datetime.datetime.now(datetime.UTC)
        self.root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.authority.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(True, 0), True)
            .add_extension(usage(key_cert_sign=True, crl_sign=True), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key()), False)
            .sign(self.authority, hashes.SHA256())
        )
        self.log_is_late_s = 0

    def certificate(self, key, identity, issuer):
        """Return a certificate for a key, with the promise of the certificate log in it."""
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        alternative = x509.UniformResourceIdentifier if "://" in identity else x509.RFC822Name
        text = issuer.encode()
        plain = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(minutes=10))
            .add_extension(usage(digital_signature=True), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
            .add_extension(x509.SubjectAlternativeName([alternative(identity)]), True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()), False)
            .add_extension(x509.UnrecognizedExtension(_ISSUER, text), False)
            .add_extension(x509.UnrecognizedExtension(_ISSUER_TEXT, b"\x0c" + bytes([len(text)]) + text), False)
        )
        body = plain.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        stamp = struct.pack(">Q", int(time.time() * 1000))
        covered = b"\0\0" + stamp + b"\0\1" + hashlib.sha256(public(self.authority)).digest()
        covered += len(body).to_bytes(3, "big") + body + b"\0\0"
        promise = signed(self.certificates, covered)
        one = b"\0" + hashlib.sha256(public(self.certificates)).digest() + stamp + b"\0\0\4\3"
        one += struct.pack(">H", len(promise)) + promise
        listed = struct.pack(">HH", len(one) + 2, len(one)) + one
        octets = b"\x04" + (b"\x81" if len(listed) > 127 else b"") + bytes([len(listed)]) + listed
        return plain.add_extension(x509.UnrecognizedExtension(_SCTS, octets), False).sign(
            self.authority, hashes.SHA256()
        )

    def entry(self, proposed):
        """Take a DSSE envelope into the log; return its entry with proof, checkpoint and time."""
        content = proposed["spec"]["proposedContent"]
        envelope = json.loads(content["envelope"])
        body = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {
                    "algorithm": "sha256",
                    "value": hashlib.sha256(content["envelope"].encode()).hexdigest(),
                },
                "payloadHash": {
                    "algorithm": "sha256",
                    "value": hashlib.sha256(base64.b64decode(envelope["payload"])).hexdigest(),
                },
                "signatures": [{"signature": envelope["signatures"][0]["sig"], "verifier": content["verifiers"][0]}],
            },
        }
        raw = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
        leaf, other = hashlib.sha256(b"\0" + raw).digest(), hashlib.sha256(b"other").digest()
        root = hashlib.sha256(b"\1" + other + leaf).digest()
        identity = hashlib.sha256(public(self.log)).digest()
        note = f"{ORIGIN}\n2\n{encoded(root)}\n"
        line = encoded(identity[:4] + signed(self.log, note.encode()))
        told = {
            "body": encoded(raw),
            "integratedTime": int(time.time()) + self.log_is_late_s,
            "logID": identity.hex(),
            "logIndex": 1,
        }
        promise = signed(self.log, json.dumps(told, sort_keys=True, separators=(",", ":")).encode())
        proof = {"logIndex": 1, "treeSize": 2, "rootHash": root.hex(), "hashes": [other.hex()]}
        proof["checkpoint"] = f"{note}\n\u2014 {ORIGIN.split()[0]} {line}\n"
        return {"1" * 64: told | {"verification": {"signedEntryTimestamp": encoded(promise), "inclusionProof": proof}}}

    def trusted_root(self):
        """Return the file by which others trust these services."""
        start = {"start": "2020-01-01T00:00:00Z"}

        def log(key):
            return {
                "baseUrl": "https://log.bartizan.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": encoded(public(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": start,
                },
                "logId": {"keyId": encoded(hashlib.sha256(public(key)).digest())},
            }

        root = encoded(self.root.public_bytes(serialization.Encoding.DER))
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.log)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "bartizan.example", "commonName": "root"},
                    "uri": "https://ca.bartizan.example",
                    "certChain": {"certificates": [{"rawBytes": root}]},
                    "validFor": start,
                }
            ],
            "ctlogs": [log(self.certificates)],
            "timestampAuthorities": [],
        }

    def configuration(self, address):
        """Return the file by which a signer finds these services."""
        service = {"url": address, "majorApiVersion": 1, "validFor": {"start": "2020-01-01T00:00:00Z"}, "operator": "x"}
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.trusted_root(),
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [service],
                "oidcUrls": [service],
                "rekorTlogUrls": [service],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaUrls": [],
                "tsaConfig": {"selector": "ANY"},
            },
        }


def token(identity, issuer):
    """Return an identity token as a provider would issue it; our authority believes it unread."""
    now = int(time.time())
    claims = {"iss": issuer, "sub": identity, "aud": "sigstore", "iat": now, "exp": now + 600, "email": identity}
    return jwt.encode(claims, "a secret of the provider alone, long enough", algorithm="HS256")


class serving:  # noqa: N801 - used as a context manager
    """Serve the services on a free port while the block runs; its value is the address."""

    def __init__(self, services):
        """Keep the services."""
        self.services = services

    def __enter__(self):
        """Start."""
        services = self.services

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/signingCert"):
                    raw = self.headers["Authorization"].removeprefix("Bearer ")
                    claims = jwt.decode(raw, options={"verify_signature": False})
                    pem = base64.b64decode(asked["certificateSigningRequest"])
                    key = x509.load_pem_x509_csr(pem).public_key()
                    chain = [services.certificate(key, claims["sub"], claims["iss"]), services.root]
                    texts = [one.public_bytes(serialization.Encoding.PEM).decode() for one in chain]
                    answer = {"signedCertificateEmbeddedSct": {"chain": {"certificates": texts}}}
                else:
                    answer = services.entry(asked)
                self.answer(201, answer)

            def do_GET(self):
                here = f"http://{self.headers['Host']}"  # clients ask where to sign in, also those who bring a token
                self.answer(200, {"authorization_endpoint": f"{here}/auth", "token_endpoint": f"{here}/token"})

            def answer(self, status, said):
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        """Stop."""
        self.server.shutdown()
        self.server.server_close()
