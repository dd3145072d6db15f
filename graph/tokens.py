"""What a token says of its bearer, and the tokens that the installation signs itself (HS256).

Claims: ``sub`` who it is, ``role``, ``exp``, perhaps ``nbf``; ``member`` (Laurel's id of the member) in a member's
token; ``channels`` (the plugins that it reaches) and ``capabilities`` (single things that plugins let it do) in a
partner's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import jwt

ALGORITHM: Final = "HS256"
NOT_BEFORE_TOLERANCE: Final = 60
"""Seconds by which the clock of whoever signs may be ahead of ours. For a token's end there is none."""

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
    """Who sends a request.

    ``member_id`` is set for members and for nobody else, ``channels`` and ``capabilities`` for partners only.
    ``expires_at`` is when the token ends, None when it does not. ``made_by`` is who made the API key, for who has one.
    """

    role: Role
    subject: str
    member_id: str | None = None
    channels: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    made_by: str | None = None
    actor: str = field(init=False, compare=False, repr=False)
    """How the caller is written down with what they did."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "actor", f"{self.role}:{self.subject}")


def issue_token(
    secret: str,
    *,
    role: Role,
    subject: str,
    now: datetime,
    lifetime: timedelta,
    member_id: str | None = None,
    channels: Collection[str] = (),
    capabilities: Collection[str] = (),
) -> str:
    """A token that is good until ``now + lifetime``.

    A member's names its member, and only a member's does. A partner's reaches the ``channels`` that it names and does
    the ``capabilities`` that it names, nothing if it names none; no other role's names any.
    """
    if (role is Role.MEMBER) != (member_id is not None):
        raise ValueError("a member's token names its member, and only a member's does")
    if (channels or capabilities) and role is not Role.PARTNER:
        raise ValueError("only a partner's token names channels and capabilities")
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
    if capabilities:
        claims["capabilities"] = sorted(capabilities)
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def read_token(secret: str, token: str, *, now: datetime) -> Caller:
    """Who a token of ours stands for. Raises TokenInvalid."""
    return caller_in(decoded(token, secret, ALGORITHM), now=now)


def decoded(
    token: str, key: Any, algorithm: str, *, issuer: str | None = None, audience: str | None = None
) -> dict[str, Any]:
    """The claims of a token that this key has signed with this algorithm. Raises TokenInvalid.

    The times are judged by our clock, in ``caller_in``, and not by the library's.
    """
    options: jwt.types.Options = {
        "require": ["sub", "exp"],
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
    }
    try:
        return jwt.decode(token, key, algorithms=[algorithm], options=options, issuer=issuer, audience=audience)
    except jwt.InvalidIssuerError as error:
        raise TokenInvalid("the token is of another issuer") from error
    except jwt.InvalidAudienceError as error:
        raise TokenInvalid("the token is for another audience") from error
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenInvalid("the token is not valid") from error


def caller_in(claims: Mapping[str, Any], *, now: datetime) -> Caller:
    """Who the claims stand for. Raises TokenInvalid."""
    role, subject, member_id = (claims.get(name) for name in ("role", "sub", "member"))
    if role not in tuple(Role) or not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_MAX:
        raise TokenInvalid("the token names no role or subject that there is")
    expires_at = _end(claims.get("exp"), now)
    begins = claims.get("nbf", 0)
    if type(begins) not in {int, float} or not begins <= now.timestamp() + NOT_BEFORE_TOLERANCE:
        raise TokenInvalid("the token is not valid yet")
    if (role == Role.MEMBER) != isinstance(member_id, str):
        raise TokenInvalid("a member's token names its member, and only a member's does")
    channels, capabilities = _names(claims, "channels"), _names(claims, "capabilities")
    if (channels or capabilities) and role != Role.PARTNER:
        raise TokenInvalid("only a partner's token names channels and capabilities")
    return Caller(Role(role), subject, member_id, channels, capabilities, expires_at)


def _end(expires: Any, now: datetime) -> datetime:
    if type(expires) not in {int, float}:
        raise TokenInvalid("the token does not say when it ends")
    if expires <= now.timestamp():
        raise TokenInvalid("the token has expired")
    try:
        return datetime.fromtimestamp(expires, now.tzinfo)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenInvalid("the token ends beyond the calendar") from error


def _names(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    names = claims.get(claim, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TokenInvalid(f"the token's {claim} are no list of names")
    return frozenset(names)
