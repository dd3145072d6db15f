"""Bearer tokens: JSON Web Tokens signed with the installation's secret (HS256), each for one role.

Claims: ``sub`` who it is, ``role``, ``exp``, ``member`` (Laurel's id of the member) in a member's token, and
``channels`` (the plugins that it reaches) in a partner's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import jwt

_ALGORITHM: Final = "HS256"
_SUBJECT_MAX: Final = 150


class Role(StrEnum):
    """What a caller is to the programme."""

    MEMBER = "member"
    SERVICE = "service"
    PARTNER = "partner"
    OPERATOR = "operator"
    ANALYST = "analyst"
    ADMIN = "admin"


class TokenInvalid(Exception):
    """The token is not one of ours, or not any more. The message is safe to show."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. ``member_id`` is set for members and for nobody else, ``channels`` for partners only."""

    role: Role
    subject: str
    member_id: str | None = None
    channels: frozenset[str] = frozenset()

    @property
    def actor(self) -> str:
        """How the caller is written down with what they did."""
        return f"{self.role}:{self.subject}"


def issue_token(
    secret: str,
    *,
    role: Role,
    subject: str,
    now: datetime,
    lifetime: timedelta,
    member_id: str | None = None,
    channels: Collection[str] = (),
) -> str:
    """A token that is good until ``now + lifetime``.

    A member's names its member, and only a member's does. A partner's reaches the ``channels`` that it names, none if
    it names none; no other role's names any.
    """
    if (role is Role.MEMBER) != (member_id is not None):
        raise ValueError("a member's token names its member, and only a member's does")
    if channels and role is not Role.PARTNER:
        raise ValueError("only a partner's token names channels")
    if not 0 < len(subject) <= _SUBJECT_MAX:
        raise ValueError(f"a subject has 1 to {_SUBJECT_MAX} characters")
    claims: dict[str, str | int | list[str]] = {
        "sub": subject,
        "role": role.value,
        "exp": int((now + lifetime).timestamp()),
    }
    if member_id is not None:
        claims["member"] = member_id
    if channels:
        claims["channels"] = sorted(channels)
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def read_token(secret: str, token: str, *, now: datetime) -> Caller:
    """Who the token stands for. Raises TokenInvalid."""
    try:
        # Expiry is judged by our clock, below, and not by the library's.
        options: jwt.types.Options = {"require": ["sub", "role", "exp"], "verify_exp": False}
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=options)
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenInvalid("the token is not valid") from error
    role, subject, expires, member_id = (claims.get(name) for name in ("role", "sub", "exp", "member"))
    if role not in tuple(Role) or not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_MAX:
        raise TokenInvalid("the token names no role or subject that there is")
    if type(expires) is not int:
        raise TokenInvalid("the token does not say when it ends")
    if expires <= now.timestamp():
        raise TokenInvalid("the token has expired")
    if (role == Role.MEMBER) != isinstance(member_id, str):
        raise TokenInvalid("a member's token names its member, and only a member's does")
    channels = claims.get("channels", [])
    if not isinstance(channels, list) or not all(isinstance(channel, str) for channel in channels):
        raise TokenInvalid("the token's channels are no list of names")
    if channels and role != Role.PARTNER:
        raise TokenInvalid("only a partner's token names channels")
    return Caller(Role(role), subject, member_id, frozenset(channels))
