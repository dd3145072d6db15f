"""Whether there is anything to simulate."""

from datetime import datetime

from core.errors import InvalidInstant, NothingToSimulate, Problem, ProgrammeInvalid
from core.rulebook.programme import Programme
from core.rulebook.programmes import Programmes
from core.simulating.simulation import has_history, span
from core.store.dialect import Reader


async def check(
    reader: Reader, programmes: Programmes, programme: Programme, since: datetime, until: datetime, now: datetime
) -> None:
    """Raise InvalidInstant, NothingToSimulate, or ProgrammeInvalid for a programme that could not follow.

    ProgrammeInvalid as well for a version that judged until then and is not understood any more.
    """
    if until > now:
        raise InvalidInstant(value=until.isoformat(), reason="it lies in the future; what is simulated has happened")
    if since >= until:
        raise InvalidInstant(value=since.isoformat(), reason="a range begins before it ends")
    latest = programmes.latest(until)
    if latest is not None and latest.programme.currency != programme.currency:
        former = latest.programme.currency
        raise ProgrammeInvalid.of((Problem("currency", f"it is {former} in the version before, and cannot change"),))
    gone = [version for version in programmes.not_understood if version.starts_at < until]
    if gone:
        # All that happened is judged anew, by the versions of its time.
        raise ProgrammeInvalid.of(
            tuple(Problem(f"version {each.number}", str(problem)) for each in gone for problem in each.why.problems)
        )
    if not await has_history(reader, since, until):
        known = await span(reader)
        first, last = known or (None, None)
        raise NothingToSimulate(since=since, until=until, known_from=first, known_until=last)
