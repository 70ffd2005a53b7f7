"""Keys of one process, and the JSON Web Tokens that they sign, right and wrong ones (RFC 7515, RFC 7519).

Tokens are put together by hand: libraries refuse, rightly, to make most of the wrong ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import paths

_HASHES = {
    "256": (hashlib.sha256, hashes.SHA256()),
    "384": (hashlib.sha384, hashes.SHA384()),
    "512": (hashlib.sha512, hashes.SHA512()),
}
_RELATIVE = re.compile(r"[+-]\d+(\.\d+)?")
_TIMES = frozenset({"exp", "nbf", "iat"})
_SUBJECTS = 200
_TOKEN_LIFE = "+86400"


@dataclass(frozen=True)
class Keys:
    """What a gateway verifies with, and keys that it must not know."""

    secret: bytes
    rsa: rsa.RSAPrivateKey
    other_secret: bytes
    other_rsa: rsa.RSAPrivateKey

    @property
    def public_pem(self) -> bytes:
        """The public RSA key as SubjectPublicKeyInfo."""
        return self.rsa.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def environment(self, folder: Path) -> dict[str, str]:
        """Write the public key into `folder` and give the variables that tell a gateway of both keys."""
        pem = folder / "rs256.pem"
        pem.write_bytes(self.public_pem)
        return {"GATEWAY_JWT_HS256_SECRET": base64url(self.secret), "GATEWAY_JWT_RS256_PUBLIC_KEY": str(pem)}


@cache
def keys() -> Keys:
    """Give the keys of this process; they are made once and never leave it, but for the public one."""
    return Keys(
        # 0xfb 0xff begins with "-" and "_" in base64url, which a plain base64 decoder refuses.
        secret=b"\xfb\xff" + secrets.token_bytes(30),
        rsa=rsa.generate_private_key(65537, 2048),
        other_secret=secrets.token_bytes(32),
        other_rsa=rsa.generate_private_key(65537, 2048),
    )


def base64url(octets: bytes) -> str:
    """Encode without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def mint(keys: Keys, alg: str, claims: Mapping[str, object]) -> str:
    """Give a token of these claims, properly signed.

    Parameters
    ----------
    alg
        HS256 or RS256.
    claims
        `exp`, `nbf` and `iat` may be texts like `"+3600"`: seconds from now, whole ones unless they have a fraction.
    """
    return forge(keys, {"alg": alg, "claims": dict(claims)})


def forge(keys: Keys, description: Mapping[str, object]) -> str:
    """Give the token that a vector describes; its members are explained in `contract/vectors/README.md`."""
    alg = str(description["alg"])
    header = {"alg": alg, "typ": "JWT", **_filled(description.get("header", {}), keys)}
    header_text = description.get("header_text", json.dumps(header))
    payload_text = description.get("payload_text") or _claims(description.get("claims", {}))
    signed = f"{base64url(str(header_text).encode())}.{base64url(str(payload_text).encode())}"
    signature = base64url(_signer(keys, description)(signed.encode()))
    parts = {
        "header": signed.partition(".")[0],
        "payload": signed.partition(".")[2],
        "other_payload": base64url(_claims(description.get("other_claims", {})).encode()),
        "signature": signature,
        "half_signature": signature[: len(signature) // 4 * 2],
    }
    return str(description.get("as", "{header}.{payload}.{signature}")).format(**parts)


def _claims(claims: object) -> str:
    assert isinstance(claims, Mapping)
    now = time.time()
    filled = {name: _moment(now, value) if name in _TIMES else value for name, value in claims.items()}
    return json.dumps(filled, ensure_ascii=False)


def _moment(now: float, value: object) -> object:
    if not (isinstance(value, str) and _RELATIVE.fullmatch(value)):
        return value
    return round(now + float(value), 3) if "." in value else int(now) + int(value)


def _filled(header: object, keys: Keys) -> dict[str, object]:
    assert isinstance(header, Mapping)
    return {name: _jwk(keys.other_rsa) if value == "{other_jwk}" else value for name, value in header.items()}


def _jwk(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "e": "AQAB", "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))}


def _signer(keys: Keys, description: Mapping[str, object]) -> Callable[[bytes], bytes]:
    alg = str(description.get("sign_as", description["alg"]))
    key = description.get("key")
    if alg == "none":
        return lambda _: b""
    family, size = alg[:2], alg[2:]
    hash_, rsa_hash = _HASHES[size]
    if family == "HS":
        secret = {
            None: keys.secret,
            "other_secret": keys.other_secret,
            "public_pem": keys.public_pem,
            "secret_text": base64url(keys.secret).encode(),
            "empty": b"",
        }[key]
        return lambda signed: hmac.digest(secret, signed, hash_)
    private = {None: keys.rsa, "other_rsa": keys.other_rsa}[key]
    scheme = {"RS": padding.PKCS1v15(), "PS": padding.PSS(padding.MGF1(rsa_hash), rsa_hash.digest_size)}[family]
    return lambda signed: private.sign(signed, scheme, rsa_hash)


def for_load(signer: Keys) -> list[str]:
    """Give bearer tokens that hold every scope of the routing table, half of them HS256 and half RS256."""
    table = json.loads((paths.CONTRACT / "routes.json").read_text())
    scopes = {item["scope"] for item in (*table["routes"], *table["services"].values())} - {None}
    return [
        mint(signer, alg, {"sub": f"load-{number}", "exp": _TOKEN_LIFE, "scope": " ".join(sorted(scopes))})
        for number in range(_SUBJECTS // 2)
        for alg in ("HS256", "RS256")
    ]
