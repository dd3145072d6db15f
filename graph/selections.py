"""What a request selects of a field, for resolvers that can spare the database what nobody asked for."""

from collections.abc import Iterable

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionNode

from graph.context import Info


def selects(info: Info, name: str) -> bool:
    """Whether the field that is being resolved is asked for its field ``name``, as GraphQL spells it.

    What a directive or the condition of a fragment leaves out in the end counts as asked for.
    """
    raw, known = info._raw_info, info.context.selected
    # Of all items of a list the same is asked. The nodes are the document's, which outlives the request.
    key = (name, *map(id, raw.field_nodes))
    found = known.get(key)
    if found is None:
        found = known[key] = any(
            node.selection_set is not None and _holds(node.selection_set.selections, name, raw.fragments)
            for node in raw.field_nodes
        )
    return found


def _holds(selections: Iterable[SelectionNode], name: str, fragments: dict[str, FragmentDefinitionNode]) -> bool:
    for node in selections:
        match node:
            case FieldNode():
                if node.name.value == name:
                    return True
            case FragmentSpreadNode():
                if _holds(fragments[node.name.value].selection_set.selections, name, fragments):
                    return True
            case InlineFragmentNode():
                if _holds(node.selection_set.selections, name, fragments):
                    return True
    return False
