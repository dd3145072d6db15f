"""Who asks: one way in for HTTP, WebSocket and SSE, by any of three kinds of bearer token.

::

    laurel_…              an API key            looked up by its digest
    a JWT with HS256      our own               signed with LAUREL_SECRET
    any other JWT         the company's         signed with a key of LAUREL_JWKS_URL, of its issuer, for us

Which key checks a token follows from the algorithm in its header, and each key checks its own algorithms only: a token
that says ``none``, or HS256 over a public key, finds none that fits.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import jwt

from core.books.members import Member
from core.oversight.keys import ends_at, find_key, is_key, note_use
from core.store import Store
from core.store.questions import Rows
from core.time.clock import Clock
from graph.keysets import ALGORITHMS, KeySet
from graph.settings import CLAIMS, Settings
from graph.texts import NUL
from graph.tokens import ALGORITHM, Caller, Role, TokenInvalid, caller_in, decoded, read_token

REVOKED_WITHIN: Final = timedelta(seconds=5)
"""How long a process goes by what it knows of an API key: after that a revocation holds everywhere."""

_KNOWN_WITHIN: Final = timedelta(minutes=1)
_KNOWN_MAX: Final = 10_000
_TOKEN_MAX: Final = 8_000


class _Known(NamedTuple):
    caller: Caller
    until: datetime


class Authenticator:
    """Says whose a token is. What it has found it goes by for a while, so that a key or a signature is checked once.

    Entered, it belongs to one open Laurel; leaving gives up what it still asks of others.
    """

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._keys = KeySet(settings.jwks, clock) if settings.jwks else None
        self._known: dict[str, _Known] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keys is not None:
            await self._keys.close()

    async def authenticate(self, authorization: str | None) -> Caller | None:
        """Who asks, by the value of the header ``Authorization``; None when nobody says.

        Raises TokenInvalid, and KeysUnreachable when nobody can tell at the moment.
        """
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise TokenInvalid("a bearer token is needed")
        token = token.strip()
        known = self._known.get(token)
        if known is not None and self._clock.now() < known.until:
            return known.caller
        return await self.caller(token)

    async def caller(self, token: str) -> Caller:
        """Whose the token is. Raises what ``authenticate`` does."""
        now = self._clock.now()
        known = self._known.get(token)
        if known is not None and now < known.until:
            return known.caller
        self._known.pop(token, None)
        if len(token) > _TOKEN_MAX:
            raise TokenInvalid("the token is too long")
        if is_key(token):
            caller, until = await self._of_key(token, now), now + REVOKED_WITHIN
        else:
            caller, until = await self._of_jwt(token, now), now + _KNOWN_WITHIN
        if caller.expires_at is not None:
            until = min(until, caller.expires_at)
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[token] = _Known(caller, until)
        return caller

    def forget(self) -> None:
        """Look everything up anew: a key has changed."""
        self._known.clear()

    # -- three kinds ------------------------------------------------------------------------------

    async def _of_key(self, token: str, now: datetime) -> Caller:
        row = await find_key(token)
        if row is None:
            raise TokenInvalid("the API key is not known")
        ended = ends_at(row)
        revoked_at: datetime | None = row.revoked_at
        if ended is not None and ended <= now:
            raise TokenInvalid("the API key was revoked" if revoked_at else "the API key has expired")
        await note_use(row, now)
        channels, capabilities = frozenset(row.channels), frozenset(row.capabilities)
        return Caller(Role(row.role), row.name, None, channels, capabilities, ended, row.created_by)

    async def _of_jwt(self, token: str, now: datetime) -> Caller:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenInvalid("the token is not valid") from error
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or not isinstance(key_id, str | None):
            raise TokenInvalid("the token is not valid")
        if algorithm == ALGORITHM and self._settings.secret:
            return read_token(self._settings.secret, token, now=now)
        if algorithm not in ALGORITHMS or self._keys is None:
            raise TokenInvalid("the token is not signed in a way that is accepted")
        keys = await self._keys.find(key_id, algorithm)
        claims = self._mapped(self._checked(token, [key.key for key in keys], algorithm))
        if (external_id := claims.pop("external_id", None)) is not None:
            claims["member"] = await self._member(external_id)
        return caller_in(claims, now=now)

    def _checked(self, token: str, keys: Sequence[Any], algorithm: str) -> dict[str, Any]:
        """The claims, by whichever of the keys has signed them."""
        *others, last = keys
        signer = next((key for key in others if _has_signed(key, token, algorithm)), last)
        return decoded(token, signer, algorithm, issuer=self._settings.issuer, audience=self._settings.audience)

    def _mapped(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """The claims under our names, by the settings."""
        mapped = {name: claims[name] for name in ("sub", "exp", "nbf") if name in claims}
        for name in CLAIMS:
            value = _claim(claims, self._settings.claims.get(name, name))
            if value is not None:
                mapped[name] = value
        if isinstance(roles := mapped.get("role"), list):
            # A company's directory knows many roles; one of ours must be among them, and only one.
            ours = [role for role in roles if role in tuple(Role)]
            mapped["role"] = ours[0] if len(ours) == 1 else None
        return mapped

    async def _member(self, external_id: Any) -> str:
        """Laurel's id of the member whom the company knows by another."""
        if isinstance(external_id, str) and NUL not in external_id:
            found = await Rows(Member, ("external_id",)).answer(self._store.reader(), [(external_id,)])
            for members in found.values():
                for member in members:
                    return str(member.id)
        raise TokenInvalid("the token's member is not there")


def _has_signed(key: Any, token: str, algorithm: str) -> bool:
    try:
        jwt.PyJWS().decode(token, key, algorithms=[algorithm])
    except jwt.PyJWTError:
        return False
    return True


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by the way to it: realm_access.roles."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
