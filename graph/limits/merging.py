"""How much of a document is to be merged: fields of one name at one place, and fragments side by side.

Validation compares every two of them, and those below them again, so that some hundred bytes keep it busy for minutes.
What it would compare is counted first, and no further than to the bound.
"""

from collections.abc import Iterable

from graphql import FieldNode, FragmentSpreadNode, SelectionSetNode

from graph.limits.shape import Fragments


def comparisons(selection_set: SelectionSetNode, fragments: Fragments, most: int) -> int:
    """What validation compares in a selection, as far as that is no more than ``most``.

    Of n fields that become one, or n fragments that are spread into one selection, n² are counted.
    """
    count = 0
    waiting = [[selection_set]]
    while waiting and count <= most:
        groups, spread = _merged(waiting.pop(), fragments)
        count += spread * spread
        for nodes in groups:
            count += len(nodes) * len(nodes)
            below = [node.selection_set for node in nodes if node.selection_set is not None]
            if below:
                waiting.append(below)
    return count


def _merged(parts: Iterable[SelectionSetNode], fragments: Fragments) -> tuple[Iterable[list[FieldNode]], int]:
    """The fields of selections that are one, by the name they have in the answer; and how many fragments there were."""
    groups: dict[str, list[FieldNode]] = {}
    seen: set[str] = set()
    waiting = list(parts)
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                groups.setdefault(name, []).append(selection)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = fragments.get(selection.name.value)
                if fragment is not None and fragment.name.value not in seen:
                    seen.add(fragment.name.value)
                    waiting.append(fragment.selection_set)
            else:
                waiting.append(selection.selection_set)  # type: ignore[attr-defined]  # the third kind: inline
    return groups.values(), len(seen)
