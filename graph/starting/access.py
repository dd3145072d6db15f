"""How to get in: a secret that is kept beside the database, and a token for each role."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from core.books.members import Member
from core.errors import LaurelError
from core.store.databases import Database
from core.time.clock import SystemClock
from graph.settings import SECRET_BYTES_MIN, Settings
from graph.tokens import Role, issue_token

LIFETIME: Final = timedelta(days=30)
"""How long the tokens are good."""

_LOOKS: Final = 20
_AGAIN_SECONDS: Final = 0.05


class CannotKeepSecret(LaurelError):
    """The file for the secret cannot be written."""


def kept_secret(settings: Settings) -> str:
    """The secret of a shop, made at its first start and kept in a file that only its owner reads."""
    database = Database.from_url(settings.database_url)
    path = Path(f"{database.name}.secret" if database.dialect == "sqlite" else "laurel.secret")
    try:
        # By the first alone: who begins at the same moment takes over what that one is about to write.
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        with suppress(FileExistsError), os.fdopen(os.open(path, flags, 0o600), "w") as made:
            made.write(f"{secrets.token_urlsafe(48)}\n")
        for _ in range(_LOOKS):
            secret = path.read_text(encoding="utf-8").strip()
            if len(secret.encode()) >= SECRET_BYTES_MIN:
                return secret
            time.sleep(_AGAIN_SECONDS)
    except OSError as error:
        raise CannotKeepSecret(f"{path} cannot be kept: {error.strerror}") from error
    raise CannotKeepSecret(f"{path} holds no secret of {SECRET_BYTES_MIN} bytes; remove it, and another is made")


def addresses(settings: Settings) -> Iterator[str]:
    """Where Laurel serves what."""
    address = f"http://{settings.host}:{settings.port}"
    yield f"\nGraphQL   {address}/graphql"
    yield f"Dashboard {address}/dashboard"
    if settings.serves_graphiql:
        yield f"GraphiQL  {address}/graphiql"
    if settings.serves_centre:
        whom = f", as {', '.join(settings.sample_members)}" if settings.sample_members else ""
        yield f"Centre    {address}/demo{whom}"


def ways_in(settings: Settings, *, subject: str, member: Member | None) -> Iterator[str]:
    """The addresses, and a token for each role; for a member only where there is one."""
    yield from addresses(settings)
    yield f"\nTokens for the header Authorization: Bearer …, good for {LIFETIME.days} days:\n"
    now = SystemClock().now()
    for role in Role:
        whose = member if role is Role.MEMBER else None
        if role is Role.MEMBER and whose is None:
            continue
        token = issue_token(
            settings.secret,
            role=role,
            subject=subject,
            now=now,
            lifetime=LIFETIME,
            member_id=whose.id if whose else None,
        )
        tier = f", {whose.tier}" if whose and whose.tier else ""
        who = f" (external id {whose.external_id}{tier})" if whose else ""
        yield f"{role}{who}\n{token}\n"
