"""Which version of the programme is in force when. A version never changes; a newer one takes over from its start."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from datetime import datetime
from time import monotonic
from typing import Final, NamedTuple

from core.books.members import Member
from core.errors import ProgrammeInvalid, ProgrammeNotFound
from core.rulebook.programme import Programme
from core.rulebook.reading import Reading
from core.sandbox.clock import ProgrammeClock
from core.store.dialect import Lookup, Reader
from core.store.tables import Row, table_of
from core.time.clock import instant

FRESH_SECONDS: Final = 1.0
"""How late a process that only reads may learn of what another has published. Operations look each time."""

_COUNT: Final = "SELECT (SELECT COUNT(*) FROM programme_version), EXISTS (SELECT 1 FROM guest_order)"
_COUNT_AND_AHEAD: Final = f"{_COUNT}, (SELECT ahead FROM clock)"


class Version(NamedTuple):
    """A published version and the instant from which it judges."""

    number: int
    starts_at: datetime
    programme: Programme


class NotUnderstood(NamedTuple):
    """A published version that names what is not installed any more, or is not allowed any more."""

    number: int
    starts_at: datetime
    why: ProgrammeInvalid


class Programmes:
    """The published versions, compiled once a process and looked for anew in each transaction.

    ``load`` makes a programme of a document, with the channels that are installed; ``read`` does so beside everything
    else. A ``clock`` is told how far it is ahead where the database is a sandbox. A version that ``load`` refuses by
    now stands in nobody's way, until something is to be judged by it.
    """

    def __init__(self, load: Callable[[str], Programme], clock: ProgrammeClock | None = None) -> None:
        self.read = Reading(load)
        self._clock = clock
        self._versions: tuple[Version, ...] = ()
        self._not_understood: tuple[NotUnderstood, ...] = ()
        self._fresh_until = 0.0
        self.channels: frozenset[str] | None = frozenset()
        """The channels that any version has; None where nobody knows, as one of them is not understood any more."""
        self.guests_order = False
        """Whether there is any order of a guest: the first of them is recorded while nobody keeps the rules."""

    @property
    def fresh(self) -> bool:
        """Whether they were looked for within the last second, which is good enough for who only reads."""
        return monotonic() < self._fresh_until

    async def refresh(self, reader: Reader) -> None:
        """Take over what was published since: one cheap statement when nothing was."""
        begun = monotonic()
        await self.take_over(reader, await reader.query(self._counting), begun)

    def lookup(self) -> Lookup:
        """What ``refresh`` asks, to be looked up with something else: ``take_over`` is to have what is found."""
        # Of a key it needs nothing but that there is one.
        return Lookup(table_of(Member), ("bucket",), [(0,)], sql=f"{self._counting} FROM {{keys}}")

    @property
    def _counting(self) -> str:
        return _COUNT_AND_AHEAD if self._clock is not None and self._clock.is_sandbox else _COUNT

    async def take_over(self, reader: Reader, found: Sequence[Row], begun: float) -> None:
        """Take over what was published since, by what was found when it was looked for at that time."""
        ((count, guests, *ahead),) = found
        if self._clock is not None and ahead:
            self._clock.follow(*ahead)
        self.guests_order |= bool(guests)
        if count != self._count:
            await self._take_over(reader)
        self._fresh_until = begun + FRESH_SECONDS

    async def _take_over(self, reader: Reader) -> None:
        if self._clock is not None and not self._versions:
            # What the database is was settled when the first was published.
            await self._clock.look(reader)
        known = {version.number: version for version in self._versions}
        rows = await reader.query("SELECT number, starts_at, document FROM programme_version")
        versions, not_understood = [], []
        for number, starts_at, document in rows:
            try:
                version = known.get(number) or Version(number, instant(starts_at), await self.read(document))
            except ProgrammeInvalid as why:
                not_understood.append(NotUnderstood(number, instant(starts_at), why))
            else:
                versions.append(version)
        if len(rows) <= self._count:
            return  # Whoever was faster has seen as many, or more.
        # Of two versions with one start the later one published holds.
        self._versions = tuple(sorted(versions, key=_order))
        self._not_understood = tuple(sorted(not_understood, key=_order))
        self.channels = None if not_understood else frozenset().union(*(v.programme.channels for v in versions))

    @property
    def _count(self) -> int:
        return len(self._versions) + len(self._not_understood)

    def as_now(self) -> "Programmes":
        """The versions that are known at this moment, whatever is taken over later."""
        return copy(self)

    def at(self, when: datetime) -> Version:
        """The version in force then. Raises ProgrammeNotFound before the first one starts, and what ``latest`` does."""
        version = self.latest(when)
        if version is None:
            raise ProgrammeNotFound(at=when)
        return version

    def latest(self, when: datetime) -> Version | None:
        """The version in force at that instant, if one is. Raises ProgrammeInvalid if it is not understood any more."""
        if self._versions and self._versions[-1].starts_at <= when and not self._not_understood:
            return self._versions[-1]
        found = None
        for version in reversed(self._versions):
            if version.starts_at <= when:
                found = version
                break
        for other in reversed(self._not_understood):
            if other.starts_at <= when and (found is None or _order(other) > _order(found)):
                raise ProgrammeInvalid.of(other.why.problems)
        return found

    def understood_from(self, when: datetime, until: datetime) -> datetime:
        """The first instant from then until ``until`` at which a version that is understood judges; else ``when``."""
        for at in (when, *(version.starts_at for version in self._versions if when < version.starts_at <= until)):
            with suppress(ProgrammeInvalid):
                self.latest(at)
                return at
        return when

    def kept_since(self, when: datetime) -> datetime:
        """Since when tiers have been judged without a break, by the version in force then and those before it."""
        since = when
        for version in reversed(self._versions):
            if version.starts_at <= when:
                if version.programme.tiers is None or version.programme.tiers.keep is None:
                    break
                since = version.starts_at
        return since

    def version(self, number: int) -> Version:
        """The version of that number; it must exist. Raises ProgrammeInvalid where it is not understood any more."""
        for other in self._not_understood:
            if other.number == number:
                raise ProgrammeInvalid.of(other.why.problems)
        return next(version for version in self._versions if version.number == number)

    @property
    def newest(self) -> int | None:
        """The number of the version published last, whenever it begins; None before the first."""
        numbers = [version.number for version in self._versions] + [each.number for each in self._not_understood]
        return max(numbers, default=None)

    @property
    def versions(self) -> tuple[Version, ...]:
        """All versions by start, but those that are not understood any more."""
        return self._versions

    @property
    def not_understood(self) -> tuple[NotUnderstood, ...]:
        """The versions that are not, by start."""
        return self._not_understood


def _order(version: Version | NotUnderstood) -> tuple[datetime, int]:
    return version.starts_at, version.number
