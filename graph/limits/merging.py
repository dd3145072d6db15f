"""How much of a document is to be merged: fields of one name at one place, and fragments side by side.

Validation compares every two of them, and those below them again, so that some hundred bytes keep it busy for minutes.
What it would compare is counted first, and no further than to the bound. It does so in fragments as well that no
operation spreads.
"""

from collections.abc import Iterable

from graphql import FieldNode, FragmentSpreadNode, SelectionSetNode

from graph.limits.shape import Fragments


class Merging:
    """Counts what validation compares in the selections of a document, as far as that is no more than ``most``.

    Of n fields that become one n² are counted, and n for each of their arguments; of n fragments that are spread into
    one selection n², and every one that is spread again there.
    """

    def __init__(self, fragments: Fragments, most: int) -> None:
        self._fragments = fragments
        self._most = most
        self.count = 0
        self.spread: set[str] = set()
        """The fragments that have been come to, and are counted."""

    def add(self, selection_set: SelectionSetNode) -> None:
        waiting = [[selection_set]]
        while waiting and self.count <= self._most:
            for nodes in self._merged(waiting.pop()):
                self.count += len(nodes) * sum(1 + len(node.arguments or ()) for node in nodes)
                below = [node.selection_set for node in nodes if node.selection_set is not None]
                if below:
                    waiting.append(below)

    def _merged(self, parts: Iterable[SelectionSetNode]) -> Iterable[list[FieldNode]]:
        """The fields of selections that are one, by the name they have in the answer; what is spread is counted."""
        groups: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        waiting = list(parts)
        while waiting:
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode):
                    name = (selection.alias or selection.name).value
                    groups.setdefault(name, []).append(selection)
                elif isinstance(selection, FragmentSpreadNode):
                    name = selection.name.value
                    if name in seen:
                        self.count += 1
                        continue
                    seen.add(name)
                    if (fragment := self._fragments.get(name)) is not None:
                        waiting.append(fragment.selection_set)
                else:
                    waiting.append(selection.selection_set)  # type: ignore[attr-defined]  # the third kind: inline
        self.spread |= seen
        self.count += len(seen) * len(seen)
        return groups.values()
