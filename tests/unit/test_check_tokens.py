"""Tokens that the replay mints: the right ones hold in an independent library, the wrong ones do not."""

import json
import time

import jwt
import pytest

from bench.gateways import tokens

KEYS = tokens.keys()


def verified(token: str, alg: str) -> dict:
    key = KEYS.secret if alg == "HS256" else KEYS.public_pem
    return jwt.decode(token, key, algorithms=[alg])


@pytest.mark.parametrize("alg", ["HS256", "RS256"])
def test_a_minted_token_holds_in_another_library(alg):
    claims = verified(tokens.mint(KEYS, alg, {"sub": "u1", "exp": "+60", "scope": "orders:read"}), alg)
    assert claims["sub"] == "u1"
    assert abs(claims["exp"] - time.time() - 60) < 2


@pytest.mark.parametrize("alg", ["HS384", "HS512", "RS512", "PS256"])
def test_a_token_of_an_algorithm_that_no_gateway_takes_is_properly_signed(alg):
    token = tokens.forge(KEYS, {"alg": alg, "claims": {"exp": "+60"}})
    key = KEYS.secret if alg.startswith("HS") else KEYS.public_pem
    assert "exp" in jwt.decode(token, key, algorithms=[alg])


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "other_secret"},
        {"key": "public_pem"},
        {"key": "secret_text"},
        {"key": "empty"},
        {"as": "{header}.{other_payload}.{signature}", "other_claims": {"sub": "admin"}},
        {"as": "{header}.{payload}.{half_signature}"},
        {"as": "{header}.{payload}."},
        {"sign_as": "RS256"},
    ],
    ids=str,
)
def test_a_forged_token_does_not_hold(wrong):
    with pytest.raises(jwt.InvalidTokenError):
        verified(tokens.forge(KEYS, {"alg": "HS256", "claims": {"exp": "+60"}, **wrong}), "HS256")


def test_a_whole_offset_gives_whole_seconds_and_a_fraction_a_fraction():
    token = tokens.forge(KEYS, {"alg": "HS256", "claims": {"exp": "+60", "nbf": "-1.5", "sub": "+60"}})
    claims = verified(token, "HS256")
    assert isinstance(claims["exp"], int)
    assert isinstance(claims["nbf"], float)
    assert claims["sub"] == "+60"


def test_a_header_can_bring_a_key_along():
    token = tokens.forge(KEYS, {"alg": "RS256", "header": {"jwk": "{other_jwk}"}, "key": "other_rsa", "claims": {}})
    assert jwt.get_unverified_header(token)["jwk"]["kty"] == "RSA"


def test_the_environment_tells_a_gateway_of_both_keys_and_of_no_private_one(tmp_path):
    environment = KEYS.environment(tmp_path)
    assert jwt.utils.base64url_decode(environment["GATEWAY_JWT_HS256_SECRET"]) == KEYS.secret
    pem = (tmp_path / "rs256.pem").read_text()
    assert environment["GATEWAY_JWT_RS256_PUBLIC_KEY"] == str(tmp_path / "rs256.pem")
    assert "BEGIN PUBLIC KEY" in pem
    assert "PRIVATE" not in json.dumps(environment) + pem


def test_the_secret_needs_the_url_safe_alphabet():
    assert tokens.base64url(KEYS.secret).startswith("-_")
