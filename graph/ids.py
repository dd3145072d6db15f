"""Opaque names: the global id of a node, and the cursor of a place in a list.

Neither is a secret, unless a list has its cursors sealed. A cursor carries a check sum and the name of its list, so
that a damaged one, or one of another list, is refused instead of skipping rows.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from typing import Any

import strawberry
from strawberry import ID

from core.errors import InvalidInput, fact
from graph.texts import NUL

_SEPARATOR = ":"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_CHECK_LENGTH = 6
_NONCE_BYTES = 16
_ID_MAX = 600
_CURSOR_MAX = 2_000


class InvalidId(InvalidInput):
    """The id is of another type of thing, or of none."""

    code = "INVALID_ID"
    says = "{id} is not the id of a {expected}"
    says_zh = "{id} 不是 {expected} 的 id"
    id: str = fact("The id as it was given.")
    expected: str = fact("The type whose id is needed.")


class InvalidCursor(InvalidInput):
    """The cursor was not made by this list."""

    code = "INVALID_CURSOR"
    says = "{cursor} is no cursor of this list"
    says_zh = "{cursor} 不是此列表的游标"
    cursor: str = fact("The cursor as it was given.")


@strawberry.interface(description="A thing with an id of its own, by which it can be fetched again.")
class Node:
    """What has an id of its own.

    A type that implements it has a classmethod ``resolve_node(info, *parts)`` that gives it, or None when there is
    no such thing or not for this caller. ``parts`` are what its id was made of.
    """

    id: ID = strawberry.field(description="The id, opaque, unique among all things.")

    @classmethod
    async def resolve_node(cls, info: Any, *parts: str) -> "Node | None":
        """The thing whose id was made of these parts, if this caller may see it."""
        raise NotImplementedError(cls.__name__)


def global_id(kind: str, *parts: object) -> ID:
    """The id of a node.

    >>> read_id(global_id("Hold", "0193", "points", 4))
    ('Hold', '0193', 'points', '4')
    """
    return ID(_encoded(_SEPARATOR.join([kind, *map(str, parts)])))


def read_id(id: str) -> tuple[str, ...]:
    """The type and the parts that an id was made of; empty when it was not made here."""
    if len(id) > _ID_MAX:
        return ()
    try:
        parts = tuple(_decoded(id).split(_SEPARATOR))
    except ValueError:
        return ()
    # There is one way to write an id.
    return parts if len(parts) > 1 and global_id(*parts) == id else ()


def parts_of(id: str, kind: str, count: int) -> tuple[str, ...]:
    """The ``count`` parts of an id of this type. Raises InvalidId."""
    named, *parts = read_id(id) or ("",)
    if named != kind or len(parts) != count:
        raise InvalidId(id=id[:100], expected=kind)
    return tuple(parts)


def cursor(place: str, key: str) -> str:
    """The cursor of the row with that key in the list named ``place``."""
    return _encoded(f"{_check(place, key)}{key}")


def read_cursor(place: str, given: str) -> str:
    """The key of the row that the cursor stands for. Raises InvalidCursor."""
    try:
        text = _decoded(given[:_CURSOR_MAX])
    except ValueError:
        text = ""
    key = text[_CHECK_LENGTH:]
    if not key or NUL in key or cursor(place, key) != given:
        raise InvalidCursor(cursor=given[:100])
    return key


def seal(secret: str, place: str, key: str) -> str:
    """A key that only who has the secret can read or make, for the cursors of a list that tells not all of a row."""
    sealing = hashlib.blake2b(secret.encode(), person=b"laurel cursor").digest()
    nonce = hashlib.blake2b(f"{place}|{key}".encode(), key=sealing, digest_size=_NONCE_BYTES).digest()
    return urlsafe_b64encode(nonce + _mixed(sealing, nonce, key.encode())).decode()


def unseal(secret: str, place: str, sealed: str) -> str:
    """The key that was sealed; empty when it was sealed by nobody."""
    try:
        given = urlsafe_b64decode(sealed.encode("ascii"))
        sealing = hashlib.blake2b(secret.encode(), person=b"laurel cursor").digest()
        key = _mixed(sealing, given[:_NONCE_BYTES], given[_NONCE_BYTES:]).decode()
    except ValueError:
        return ""
    return key if seal(secret, place, key) == sealed else ""


def _mixed(sealing: bytes, nonce: bytes, text: bytes) -> bytes:
    stream = hashlib.shake_256(sealing + nonce).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, stream, strict=True))


def _check(place: str, key: str) -> str:
    return hashlib.blake2b(f"{place}|{key}".encode(), digest_size=_CHECK_LENGTH // 2).hexdigest()


def _encoded(text: str) -> str:
    """In base64url without padding, at one go, as a page has many ids."""
    return b2a_base64(text.encode(), newline=False).translate(_URL_SAFE, b"=").decode()


def _decoded(text: str) -> str:
    # Both failures (letters that are no base64, bytes that are no UTF-8) are ValueErrors.
    return urlsafe_b64decode(text.encode("ascii", "strict") + b"=" * (-len(text) % 4)).decode()
