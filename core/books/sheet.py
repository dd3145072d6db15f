"""A sheet: all rows of one member that a database transaction has read or changed, in memory.

Values on it are immutable, so an operation that is refused is undone by putting the former values back. What is
left on the sheet at the end is written, each row once, however many operations changed it.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

Key = tuple[Hashable, ...]
_ABSENT: Any = object()


class Sheet:
    """Rows by kind and key, with an undo journal. A kind is a value class or a plugin's model.

    ``known`` remembers what was asked of the database, so that it is asked once: the conditions by kind and columns.
    A ``blank`` sheet is that of a member of whom the database holds nothing, so that nothing need be asked.
    """

    __slots__ = ("_journal", "blank", "changed", "known", "new", "removed", "rows")

    def __init__(self, *, blank: bool = False) -> None:
        self.rows: defaultdict[type, dict[Key, Any]] = defaultdict(dict)
        self.blank = blank
        self.known: defaultdict[Hashable, set[str]] = defaultdict(set)
        self.new: dict[tuple[type, Key], None] = {}
        self.changed: dict[tuple[type, Key], None] = {}
        self.removed: dict[tuple[type, Key], Any] = {}
        self._journal: list[tuple[type, Key, Any, dict[tuple[type, Key], None] | None]] = []

    def of(self, kind: type) -> dict[Key, Any]:
        """All known rows of a kind. Read only."""
        return self.rows[kind]

    def get(self, kind: type, key: Key) -> Any:
        """The row, or None when it is not known or known to be absent."""
        return self.rows[kind].get(key)

    def has_changed(self, kind: type, key: Key) -> bool:
        """Whether the row is not what the database has."""
        return (kind, key) in self.new or (kind, key) in self.changed

    def learn(self, kind: type, key: Key, value: Any) -> None:
        """Take a row over from the database, unless the sheet has a newer one. Not undone by a refusal."""
        if (kind, key) not in self.removed:
            self.rows[kind].setdefault(key, value)

    def learn_all(self, kind: type, values: Mapping[Key, Any]) -> None:
        """The same for many rows of a kind."""
        rows, removed = self.rows[kind], self.removed
        for key, value in values.items():
            if not removed or (kind, key) not in removed:
                rows.setdefault(key, value)

    def add(self, kind: type, key: Key, value: Any) -> None:
        """A row that is to be inserted."""
        mark, rows = (kind, key), self.rows[kind]
        assert mark not in self.removed, f"{kind.__name__} {key} is to be deleted"
        before = rows.get(key, _ABSENT)
        assert before is _ABSENT or before is None, f"{kind.__name__} {key} is there already"
        self.new[mark] = None
        self._journal.append((kind, key, before, self.new))
        rows[key] = value

    def put(self, kind: type, key: Key, value: Any) -> None:
        """A row that stands in the database or was added before, with its new value."""
        mark, marks, rows = (kind, key), None, self.rows[kind]
        if mark not in self.new and mark not in self.changed:
            marks = self.changed
            marks[mark] = None
        self._journal.append((kind, key, rows.get(key, _ABSENT), marks))
        rows[key] = value

    def remove(self, kind: type, key: Key) -> None:
        """A row that stands in the database, and is to be deleted."""
        mark, rows = (kind, key), self.rows[kind]
        assert mark not in self.new, f"{kind.__name__} {key} is not there yet"
        self.removed[mark] = rows[key]
        self._journal.append((kind, key, rows.pop(key), self.removed))

    def savepoint(self) -> int:
        """A mark to go back to."""
        return len(self._journal)

    def rollback(self, savepoint: int) -> None:
        """Undo all that was added or put since the mark."""
        journal = self._journal
        while len(journal) > savepoint:
            kind, key, before, marks = journal.pop()
            if before is _ABSENT:
                del self.rows[kind][key]
            else:
                self.rows[kind][key] = before
            if marks is not None:
                del marks[kind, key]

    def changes(self, savepoint: int) -> Iterator[tuple[type, Key, Any, Any]]:
        """What was added or put since the mark: kind and key, the row before (None if there was none) and now."""
        first: dict[tuple[type, Key], Any] = {}
        for kind, key, before, _ in self._journal[savepoint:]:
            first.setdefault((kind, key), None if before is _ABSENT else before)
        return ((kind, key, before, self.rows[kind].get(key)) for (kind, key), before in first.items())

    def inserts(self) -> list[tuple[type, Key, Any]]:
        """Rows to insert, in the order in which they were added."""
        rows = self.rows
        return [(kind, key, rows[kind][key]) for kind, key in self.new]

    def updates(self) -> list[tuple[type, Key, Any]]:
        """Rows to update, in the order in which they were first changed."""
        rows, removed = self.rows, self.removed
        return [(kind, key, rows[kind][key]) for kind, key in self.changed if (kind, key) not in removed]

    def deletes(self) -> list[tuple[type, Any]]:
        """Rows to delete, as they were."""
        return [(kind, value) for (kind, _), value in self.removed.items()]
