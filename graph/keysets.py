"""The public keys of a company's own tokens: a JSON Web Key Set, from an address or a file.

Keys that are known go on working while the source is away. A key that is not known is asked for at once, by one
request for all who wait, for a few seconds at most, and no more often than every half minute.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import jwt
import orjson

from core.errors import Unavailable
from core.time.clock import Clock
from graph.tokens import TokenInvalid

log = logging.getLogger("laurel.keys")

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_BY_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
ALGORITHMS: Final = _RSA | frozenset(_BY_CURVE.values())
"""What a company may sign with: a public key only ever checks, so nobody who has it can sign."""

FRESH: Final = timedelta(minutes=10)
"""After that long the keys are looked for again, while the ones that are known go on."""

AGAIN_AFTER: Final = timedelta(seconds=30)
PATIENCE_SECONDS: Final = 5.0
_BYTES_MAX: Final = 1_000_000
_KEYS_MAX: Final = 100
_RSA_BITS_MIN: Final = 2048


class KeysUnreachable(Unavailable):
    """The company's keys cannot be had, so that a token cannot be checked."""


class PublicKey(NamedTuple):
    """A key, what it is called, and the algorithms that it may check."""

    id: str | None
    key: Any
    algorithms: frozenset[str]


class KeySet:
    """The keys of one source. ``changes`` counts how often other keys were found."""

    def __init__(self, source: str, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._keys: Sequence[PublicKey] = ()
        self._tried_at: datetime | None = None
        self._failed = False
        self._reading: asyncio.Task[None] | None = None
        self.changes = 0

    async def find(self, key_id: str | None, algorithm: str) -> Sequence[PublicKey]:
        """The keys that may have signed, usually one. Raises TokenInvalid when there is none, and KeysUnreachable."""
        found = self._known(key_id, algorithm)
        if found:
            if self._is_due(AGAIN_AFTER if self._failed else FRESH):
                self._read()
            return found
        if self._reading is not None or self._is_due(AGAIN_AFTER):
            # Shielded, as others wait for it as well.
            await asyncio.shield(self._read())
            found = self._known(key_id, algorithm)
        if found:
            return found
        if self._failed:
            raise KeysUnreachable("the keys that tokens are checked with cannot be had; send it again")
        raise TokenInvalid("the token is signed with a key that is not known")

    async def close(self) -> None:
        """Give up what is being read."""
        if (reading := self._reading) is not None:
            reading.cancel()
            await asyncio.wait([reading])

    def _known(self, key_id: str | None, algorithm: str) -> Sequence[PublicKey]:
        fit = [key for key in self._keys if algorithm in key.algorithms]
        return fit if key_id is None else [key for key in fit if key.id == key_id]

    def _is_due(self, after: timedelta) -> bool:
        """Whether it is so long since the keys were looked for."""
        return self._tried_at is None or self._clock.now() - self._tried_at >= after

    def _read(self) -> asyncio.Task[None]:
        if self._reading is None:
            self._reading = asyncio.create_task(self._take_over(), name="keys")
        return self._reading

    async def _take_over(self) -> None:
        self._tried_at = self._clock.now()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                keys = keys_in(await _content(self._source))
        except Exception as error:
            # Whatever it is: a token must not fail for the state that another's server is in.
            self._failed = True
            log.warning("the keys of %s cannot be had: %s: %s", self._source, type(error).__name__, error)
        else:
            self._failed = False
            self.changes += 1
            self._keys = keys
        finally:
            self._reading = None


async def _content(source: str) -> bytes:
    if not source.startswith(("http://", "https://")):
        return await asyncio.to_thread(Path(source).read_bytes)
    content = bytearray()
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client, client.stream("GET", source) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _BYTES_MAX:
                raise ValueError(f"it is longer than {_BYTES_MAX} bytes")
    return bytes(content)


def keys_in(content: bytes) -> list[PublicKey]:
    """The keys of a set that can check a token; others, and those of a kind unknown here, are left out.

    Raises ValueError for what is no key set.
    """
    match orjson.loads(content):
        case {"keys": list(given)} if len(given) <= _KEYS_MAX:
            found = [key for one in given if isinstance(one, dict) and (key := _public_key(one)) is not None]
        case _:
            raise ValueError(f"it is no JSON Web Key Set of at most {_KEYS_MAX} keys")
    if not found:
        raise ValueError("no key of it can check a token")
    return found


def _public_key(given: dict[str, Any]) -> PublicKey | None:
    match given:
        case {"kty": "RSA"}:
            algorithms = _RSA
        case {"kty": "EC" | "OKP", "crv": str(curve)} if curve in _BY_CURVE:
            algorithms = frozenset({_BY_CURVE[curve]})
        case _:
            return None  # "oct" above all: a secret does not belong into a public set
    if given.get("use", "sig") != "sig":
        return None
    if "alg" in given:
        algorithms &= {given["alg"]} if isinstance(given["alg"], str) else set()
    public = {name: value for name, value in given.items() if name not in {"d", "p", "q", "dp", "dq", "qi", "alg"}}
    try:
        key = jwt.PyJWK(public).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if not algorithms or (given["kty"] == "RSA" and key.key_size < _RSA_BITS_MIN):
        return None
    key_id = given.get("kid")
    return PublicKey(key_id if isinstance(key_id, str) else None, key, frozenset(algorithms))
