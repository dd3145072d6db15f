"""Documents said otherwise: with fragments, aliases, conditions and variables, and fields asked for in parts."""

from random import Random
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    parse_type,
)
from graphql.utilities import value_from_ast_untyped

NAME = "__typename"


class Twist:
    """One document said otherwise; ``variables`` are those that it now has."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, random: Random) -> None:
        self._schema = schema
        self._random = random
        self._definitions: list[VariableDefinitionNode] = []
        self._fragments: list[FragmentDefinitionNode] = []
        self.variables: dict[str, Any] = {}
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        root = schema.get_root_type(operation.operation)
        assert root is not None
        selected = self._selected(operation.selection_set, root)
        operation = OperationDefinitionNode(
            operation=operation.operation,
            name=NameNode(value="Twisted"),
            variable_definitions=tuple(self._definitions),
            directives=(),
            selection_set=selected,
        )
        self.document = DocumentNode(definitions=(operation, *self._fragments))

    def _selected(self, given: SelectionSetNode, parent: Any) -> SelectionSetNode:
        """The same selections, some of them in fragments."""
        selections = [self._selection(node, parent) for node in given.selections]
        if self._often(0.2):
            alias = None if self._often(0.5) else NameNode(value=f"kind{self._random.randrange(9)}")
            selections.append(FieldNode(name=NameNode(value=NAME), alias=alias, arguments=(), directives=()))
        if self._often(0.3):
            at = self._random.randrange(len(selections))
            selections[at:] = [self._in_fragment(tuple(selections[at:]), parent)]
        return SelectionSetNode(selections=tuple(selections))

    def _selection(self, node: SelectionNode, parent: Any) -> SelectionNode:
        if isinstance(node, InlineFragmentNode):
            inner = parent if node.type_condition is None else self._schema.type_map[node.type_condition.name.value]
            return InlineFragmentNode(
                type_condition=node.type_condition,
                directives=self._conditions(),
                selection_set=self._selected(node.selection_set, inner),
            )
        assert isinstance(node, FieldNode)
        if node.name.value == NAME or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return node
        field = parent.fields[node.name.value]
        below = node.selection_set
        if below is not None:
            below = self._selected(below, get_named_type(field.type))
        said = FieldNode(
            alias=node.alias or (NameNode(value=f"a{self._random.randrange(10**6)}") if self._often(0.2) else None),
            name=node.name,
            arguments=tuple(self._argument(argument, field.args) for argument in node.arguments or ()),
            directives=self._conditions(),
            selection_set=below,
        )
        if below is None or len(below.selections) < 2 or not self._often(0.2):
            return said
        # The same field twice, each with a part of what is asked of it.
        at = self._random.randrange(1, len(below.selections))
        parts = (SelectionSetNode(selections=part) for part in (below.selections[:at], below.selections[at:]))
        twice = tuple(
            FieldNode(
                alias=said.alias,
                name=said.name,
                arguments=said.arguments,
                directives=self._conditions(),
                selection_set=part,
            )
            for part in parts
        )
        return InlineFragmentNode(directives=(), selection_set=SelectionSetNode(selections=twice))

    def _argument(self, node: ArgumentNode, known: Any) -> ArgumentNode:
        if self._often(0.4):
            return node
        name = f"v{len(self.variables)}"
        self.variables[name] = value_from_ast_untyped(node.value)
        kind = parse_type(str(known[node.name.value].type))
        variable = VariableNode(name=NameNode(value=name))
        self._definitions.append(VariableDefinitionNode(variable=variable, type=kind, directives=()))
        return ArgumentNode(name=node.name, value=variable)

    def _conditions(self) -> tuple[DirectiveNode, ...]:
        if not self._often(0.1):
            return ()
        condition: Any = BooleanValueNode(value=self._often(0.5))
        if self._often(0.8):
            name = f"v{len(self.variables)}"
            self.variables[name] = self._often(0.5)
            condition = VariableNode(name=NameNode(value=name))
            kind = parse_type("Boolean!")
            self._definitions.append(VariableDefinitionNode(variable=condition, type=kind, directives=()))
        given = ArgumentNode(name=NameNode(value="if"), value=condition)
        return (DirectiveNode(name=NameNode(value=self._random.choice(("skip", "include"))), arguments=(given,)),)

    def _in_fragment(self, selections: tuple[SelectionNode, ...], parent: Any) -> SelectionNode:
        selected = SelectionSetNode(selections=selections)
        kind = NamedTypeNode(name=NameNode(value=parent.name))
        if self._often(0.5):
            condition = kind if self._often(0.5) else None
            return InlineFragmentNode(type_condition=condition, directives=self._conditions(), selection_set=selected)
        name = NameNode(value=f"F{len(self._fragments)}")
        self._fragments.append(
            FragmentDefinitionNode(
                name=name, variable_definitions=(), type_condition=kind, directives=(), selection_set=selected
            )
        )
        return FragmentSpreadNode(name=name, directives=self._conditions())

    def _often(self, share: float) -> bool:
        return self._random.random() < share
