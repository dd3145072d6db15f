"""Seeds: made before their period, committed to by their SHA-256. They move no points and go around the committer."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from tortoise.exceptions import IntegrityError

from core.store.databases import unit_of_work

from .draws import commitment_of
from .models import LotterySeed
from .periods import Period


async def commit_seeds(missing: Iterable[tuple[str, Period]], now: datetime) -> None:
    """Make the seeds of these pools and periods; one that somebody else has made meanwhile stands."""
    for pool, period in missing:

        async def write(pool: str = pool, period: Period = period) -> None:
            if await LotterySeed.exists(pool=pool, period=period.name):
                return
            seed = secrets.token_bytes(32)
            await LotterySeed.create(
                pool=pool,
                period=period.name,
                seed=seed.hex(),
                commitment=commitment_of(seed),
                starts_at=period.starts_at,
                ends_at=period.ends_at,
                committed_at=now,
            )

        try:
            await unit_of_work(write)
        except IntegrityError:
            continue
