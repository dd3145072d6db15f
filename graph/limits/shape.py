"""The shape of a document, measured before it is validated: validation itself can be made to take minutes.

Nothing of the schema is asked. A fragment is measured once, however often it is spread; what it holds is counted for
each spread, by multiplication. Other tools walk into every spread, which a document of 1.5 kB makes a walk of hours.
"""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

INTROSPECTION_ROOTS: Final = frozenset({"__schema", "__type"})

Fragments = Mapping[str, FragmentDefinitionNode]


class FragmentCycle(Exception):
    """Fragments that spread each other. The message names them."""


class Shape(NamedTuple):
    """What a selection holds with its fragments written out.

    ``depth`` counts fields below each other; ``introspection`` does where the schema is asked for, which needs more
    than data do and has a bound of its own. ``fields`` are those of the selection itself, not those below them.
    """

    depth: int = 0
    introspection: int = 0
    aliases: int = 0
    fields: int = 0
    directives: int = 0


_NOTHING: Final = Shape()


def fragments_of(tree: DocumentNode) -> Fragments:
    """The fragments of a document, by name; of two of one name the first, as the second is an error."""
    found: dict[str, FragmentDefinitionNode] = {}
    for node in tree.definitions:
        if isinstance(node, FragmentDefinitionNode):
            found.setdefault(node.name.value, node)
    return found


def operations_of(tree: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]


def in_order(fragments: Fragments) -> list[FragmentDefinitionNode]:
    """The fragments, each after those that it spreads. Raises FragmentCycle."""
    sorter: TopologicalSorter[str] = TopologicalSorter(
        {
            name: {spread for spread in _spreads(node.selection_set) if spread in fragments}
            for name, node in fragments.items()
        }
    )
    try:
        return [fragments[name] for name in sorter.static_order()]
    except CycleError as cycle:
        names = " → ".join(reversed(cycle.args[1][:6]))
        raise FragmentCycle(f"a fragment cannot spread itself: {names}") from None


def _spreads(selection_set: SelectionSetNode) -> Iterator[str]:
    """The names of the fragments that are spread anywhere in a selection."""
    waiting = [selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                yield selection.name.value
            elif (inner := getattr(selection, "selection_set", None)) is not None:
                waiting.append(inner)


class Shapes:
    """Measures the selections of one document; fragments are handed in with ``learn``, in order."""

    def __init__(self) -> None:
        self._known: dict[str, Shape] = {}

    def learn(self, fragment: FragmentDefinitionNode) -> None:
        self._known[fragment.name.value] = self.of(fragment.selection_set, fragment.directives)

    def of(self, selection_set: SelectionSetNode | None, directives: Sequence[object] | None = None) -> Shape:
        """The shape of a selection; ``directives`` are those of what has it."""
        if selection_set is None:
            return _NOTHING
        depth = introspection = aliases = fields = 0
        count = len(directives or ())
        for selection in selection_set.selections:
            inner = self._inner(selection)
            count += inner.directives + len(selection.directives or ())
            aliases += inner.aliases
            introspection = max(introspection, inner.introspection)
            if not isinstance(selection, FieldNode):
                fields += inner.fields
                depth = max(depth, inner.depth)
                continue
            fields += 1
            aliases += selection.alias is not None
            if selection.name.value in INTROSPECTION_ROOTS:
                introspection = max(introspection, 1 + inner.depth)
            else:
                depth = max(depth, 1 + inner.depth)
        return Shape(depth, introspection, aliases, fields, count)

    def _inner(self, selection: SelectionNode) -> Shape:
        if isinstance(selection, FragmentSpreadNode):
            return self._known.get(selection.name.value, _NOTHING)
        return self.of(selection.selection_set)  # type: ignore[attr-defined]  # fields and inline fragments have one
