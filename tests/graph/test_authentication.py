"""Who is let in: our own tokens, a company's, and API keys, over HTTP with a real server of keys."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from graph.authentication import Authenticator
from graph.keysets import AGAIN_AFTER, FRESH, KeysUnreachable, keys_in
from graph.settings import Settings
from graph.testing import SECRET, Shop
from graph.tokens import Caller, Role, TokenInvalid

ISSUER, AUDIENCE = "https://login.brand.example", "laurel"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def published(**keys: Any) -> dict[str, Any]:
    """The key set that a company publishes, by the names of the private keys."""
    algorithms: dict[type, Any] = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    found = []
    for name, key in keys.items():
        kind = next(algorithm for of, algorithm in algorithms.items() if isinstance(key, of))
        found.append({**json.loads(kind.to_jwk(key.public_key())), "kid": name, "use": "sig"})
    return {"keys": found}


class KeyServer:
    """A company's server of keys, on a real socket."""

    def __init__(self) -> None:
        self.content: Any = published(first=RSA_KEY)
        self.status = 200
        self.asked = 0
        self.silent = False

    @asynccontextmanager
    async def run(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys.json"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Also when the test is over before the other gives up.
        with closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            if self.silent:
                await reader.read()  # until the other gives up
                return
            body = json.dumps(self.content).encode()
            head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()


@pytest.fixture
async def company(shop: Shop) -> AsyncIterator[tuple[KeyServer, Authenticator]]:
    """A company's keys, and who believes in them."""
    server = KeyServer()
    async with server.run() as url:
        settings = Settings(
            secret=SECRET,
            jwks=url,
            issuer=ISSUER,
            audience=AUDIENCE,
            claims={"role": "realm.roles", "external_id": "https://brand.example/customer"},
        )
        async with Authenticator(settings, shop.laurel.store, shop.clock) as authenticator:
            yield server, authenticator


def token(shop: Shop, key: Any = RSA_KEY, algorithm: str = "RS256", name: str | None = "first", **claims: Any) -> str:
    now = int(shop.clock.now().timestamp())
    good = {"sub": "till 4", "realm": {"roles": ["cashier", "service"]}, "iss": ISSUER, "aud": AUDIENCE}
    said = {k: v for k, v in {**good, "exp": now + 7200, **claims}.items() if v is not None}
    header = {"kid": name} if name else None
    if isinstance(key, bytes):
        # As PyJWT does not sign with a public key, whoever wants to do that does it by hand.
        parts = [{"alg": algorithm, "typ": "JWT", **(header or {})}, said]
        signed = b".".join(base64url_encode(json.dumps(part).encode()) for part in parts)
        digest = hmac.digest(key, signed, {"HS256": "sha256", "HS512": "sha512"}[algorithm])
        return (signed + b"." + base64url_encode(digest)).decode()
    return jwt.encode(said, key, algorithm=algorithm, headers=header)


async def said(authenticator: Authenticator, given: str) -> Caller | str:
    try:
        return await authenticator.caller(given)
    except (TokenInvalid, KeysUnreachable) as refused:
        return str(refused)


# -- a company's tokens -------------------------------------------------------------------------------


async def test_a_companys_token_says_who_asks_in_its_own_words(shop: Shop, company: Any) -> None:
    _, authenticator = company
    await shop.enrol("anna")
    member: dict[str, Any] = {"realm": {"roles": ["member"]}, "https://brand.example/customer": "anna"}

    service, anna = await said(authenticator, token(shop)), await said(authenticator, token(shop, **member))

    assert isinstance(service, Caller)
    assert (service.actor, service.expires_at) == ("service:till 4", shop.clock.now() + timedelta(hours=2))
    assert isinstance(anna, Caller)
    assert anna.role is Role.MEMBER
    assert anna.member_id is not None


PUBLIC = RSA_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"exp": 1}, "the token has expired"),
        ({"nbf": 2**33}, "the token is not valid yet"),
        ({"iss": "https://other.example"}, "the token is of another issuer"),
        ({"iss": None}, "the token is not valid"),
        ({"aud": "the till"}, "the token is for another audience"),
        ({"aud": None}, "the token is not valid"),
        ({"key": None, "algorithm": "none"}, "the token is not signed in a way that is accepted"),
        ({"key": PUBLIC, "algorithm": "HS256"}, "the token is not valid"),
        ({"key": PUBLIC, "algorithm": "HS512"}, "the token is not signed in a way that is accepted"),
        ({"key": rsa.generate_private_key(65537, 2048)}, "the token is not valid"),
        ({"key": EC_KEY, "algorithm": "ES256"}, "the token is signed with a key that is not known"),
        ({"name": "second"}, "the token is signed with a key that is not known"),
        ({"realm": {"roles": ["cashier"]}}, "the token names no role or subject that there is"),
        ({"realm": {"roles": ["admin", "service"]}}, "the token names no role or subject that there is"),
        ({"https://brand.example/customer": "nobody"}, "the token's member is not there"),
    ],
)
async def test_a_companys_token_that_is_not_good_is_told_why(
    shop: Shop, company: Any, changes: dict[str, Any], answer: str
) -> None:
    _, authenticator = company

    assert await said(authenticator, token(shop, **changes)) == answer


async def test_a_tampered_token_is_not_valid(shop: Shop, company: Any) -> None:
    _, authenticator = company
    head, _, signature = token(shop).split(".")
    _, body, _ = token(shop, sub="somebody else").split(".")

    assert await said(authenticator, f"{head}.{body}.{signature}") == "the token is not valid"


@pytest.mark.parametrize(
    "header", [{"alg": ["RS256"]}, {"alg": {}}, {"alg": None}, {"kid": {}}, {"kid": 1}, {"b64": False}]
)
async def test_a_header_that_nobody_means_is_not_valid(shop: Shop, company: Any, header: dict[str, Any]) -> None:
    _, authenticator = company
    _, body, signature = token(shop).split(".")
    head = base64url_encode(json.dumps({"alg": "RS256", "kid": "first", **header}).encode()).decode()

    assert "valid" in str(await said(authenticator, f"{head}.{body}.{signature}"))


async def test_a_new_key_is_found_when_it_is_first_used(shop: Shop, company: Any) -> None:
    server, authenticator = company
    assert isinstance(await said(authenticator, token(shop)), Caller)
    server.content = published(second=EC_KEY)
    second = token(shop, EC_KEY, "ES256", "second")

    early = await said(authenticator, second)
    shop.clock.advance(AGAIN_AFTER)
    answers = await asyncio.gather(*(said(authenticator, second) for _ in range(10)))

    assert early == "the token is signed with a key that is not known"
    assert all(isinstance(answer, Caller) for answer in answers)
    assert server.asked == 2
    assert await said(authenticator, token(shop, sub="other")) == "the token is signed with a key that is not known"


async def test_known_keys_go_on_while_their_server_is_away(shop: Shop, company: Any) -> None:
    server, authenticator = company
    assert isinstance(await said(authenticator, token(shop)), Caller)
    server.status = 500
    shop.clock.advance(FRESH)

    known = await said(authenticator, token(shop, sub="other"))
    unknown = await said(authenticator, token(shop, EC_KEY, "ES256", "second"))

    assert isinstance(known, Caller)
    assert unknown == "the keys that tokens are checked with cannot be had; send it again"
    assert server.asked == 2


async def test_a_server_of_keys_that_says_nothing_holds_nobody_up(
    shop: Shop, company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, authenticator = company
    server.silent = True
    monkeypatch.setattr("graph.keysets.PATIENCE_SECONDS", 0.1)

    async with asyncio.timeout(60):
        assert await said(authenticator, token(shop)) == (
            "the keys that tokens are checked with cannot be had; send it again"
        )


async def test_keys_come_from_a_file_as_well(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(published(first=RSA_KEY, other=EC_KEY)))
    settings = Settings(jwks=str(path), issuer=ISSUER, audience=AUDIENCE, claims={"role": "realm.roles"})

    async with Authenticator(settings, shop.laurel.store, shop.clock) as authenticator:
        nameless = await said(authenticator, token(shop, name=None))
        ours = await said(authenticator, shop.token())

    assert isinstance(nameless, Caller)
    assert ours == "the token is not signed in a way that is accepted"


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        "not json",
        '{"keys": []}',
        '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}',
        json.dumps(published(small=rsa.generate_private_key(65537, 1024))),
        json.dumps({"keys": [{**published(a=RSA_KEY)["keys"][0], "use": "enc"}]}),
        json.dumps({"keys": [{**published(a=RSA_KEY)["keys"][0], "alg": "HS256"}]}),
        json.dumps({"keys": published(a=EC_KEY)["keys"] * 101}),
    ],
    ids=["list", "no keys", "no json", "none", "secret", "small", "for encryption", "HS256", "too many"],
)
def test_a_set_without_a_key_that_can_check_a_token_is_refused(content: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of the parser or ours: what matters is that it is not taken
        keys_in(content.encode())
