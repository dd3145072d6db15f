"""What a request selects of a field, for resolvers that can spare the database what nobody asked for."""

from collections.abc import Iterable, Iterator, Mapping, Set

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionNode

from graph.context import Info


def selects(info: Info, name: str) -> bool:
    """Whether the field that is being resolved is asked for its field of that name."""
    return name in selected(info)


def selected(info: Info, *path: str) -> Set[str]:
    """The fields for which the field that is being resolved is asked, by their names as GraphQL spells them.

    With a ``path`` they are those of the field at its end, each of whose names is of a field of the one before. What a
    directive or the condition of a fragment leaves out in the end counts as asked for.
    """
    known = info.context.selected
    # Of all items of a list the same is asked. The nodes are the document's, which outlives the request.
    of_field = getattr(info, "of_field", None) or tuple(map(id, info._raw_info.field_nodes))
    found = known.get((of_field, path))
    if found is None:
        nodes, fragments = info._raw_info.field_nodes, info._raw_info.fragments
        for name in path:
            nodes = [node for node in _below(nodes, fragments) if node.name.value == name]
        found = known[of_field, path] = frozenset(node.name.value for node in _below(nodes, fragments))
    return found


def _below(nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]) -> list[FieldNode]:
    seen = set[str]()
    below = [node.selection_set.selections for node in nodes if node.selection_set is not None]
    return [node for selections in below for node in _fields(selections, fragments, seen)]


def _fields(
    selections: Iterable[SelectionNode], fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[FieldNode]:
    """The fields, those of a fragment once: of fragments that spread each other twice there are 2 to the power of n."""
    for node in selections:
        match node:
            case FieldNode():
                yield node
            case FragmentSpreadNode():
                if node.name.value not in seen:
                    seen.add(node.name.value)
                    yield from _fields(fragments[node.name.value].selection_set.selections, fragments, seen)
            case InlineFragmentNode():
                yield from _fields(node.selection_set.selections, fragments, seen)
