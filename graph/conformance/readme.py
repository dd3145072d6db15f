"""What a README shows: the channel's section of a programme, and a call."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from types import ModuleType
from typing import Any, Final

import graphql

_SELECTED: Final = "transaction { id entries { unit amount } } replayed errors { code message }"


class Fails(Exception):
    """The channel does not do what it promises."""


class NotTried(Exception):
    """There is nothing to try it with."""


def readme_section(module: ModuleType) -> str:
    """The first ``yaml`` block of a plugin's README: its section of a programme."""
    return block(module, "yaml")


def block(module: ModuleType, language: str) -> str:
    """The first block of that language in a plugin's README. Raises Fails when there is none."""
    file = resources.files(module) / "README.md"
    if not file.is_file():
        raise Fails("there is no README.md in its package")
    found = re.search(rf"^```{language}\n(.*?)^```", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if found is None:
        raise Fails(f"its README shows no {language} block")
    return found[1]


@dataclass(frozen=True)
class Call:
    """A mutation as a README shows it, to be sent with keys of ours and for members of ours."""

    document: graphql.DocumentNode

    @classmethod
    def of(cls, text: str) -> "Call":
        document = graphql.parse(text, no_location=True)
        operation = document.definitions[0]
        if not isinstance(operation, graphql.OperationDefinitionNode) or operation.operation.value != "mutation":
            raise NotTried("its README shows no mutation to call")
        return cls(document)

    @property
    def field(self) -> graphql.FieldNode:
        (operation, *_) = self.document.definitions
        assert isinstance(operation, graphql.OperationDefinitionNode)
        field_ = operation.selection_set.selections[0]
        assert isinstance(field_, graphql.FieldNode)
        return field_

    def members(self) -> list[str]:
        """The external ids that it names."""
        return sorted({node.value.value for node in _object_fields(self.field, "externalId")})

    def with_key(self, key: str) -> str:
        """The call with that idempotency key, asking for what the suite looks at."""
        arguments = ", ".join(
            graphql.print_ast(graphql.visit(node, _Rekeyed(key))) for node in self.field.arguments or ()
        )
        return f"mutation {{ answer: {self.field.name.value}({arguments}) {{ {_SELECTED} }} }}"


class _Rekeyed(graphql.Visitor):
    """Replaces idempotency keys."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def enter_object_field(self, node: graphql.ObjectFieldNode, *_: Any) -> graphql.ObjectFieldNode | None:
        if node.name.value != "idempotencyKey":
            return None
        return graphql.ObjectFieldNode(name=node.name, value=graphql.StringValueNode(value=self._key))


def _object_fields(node: graphql.FieldNode, name: str) -> Iterator[Any]:
    """The fields of that name of the objects that are given to a field, however deep."""
    values: list[Any] = [argument.value for argument in node.arguments or ()]
    while values:
        value = values.pop()
        if isinstance(value, graphql.ObjectValueNode):
            for given in value.fields:
                if given.name.value == name and isinstance(given.value, graphql.StringValueNode):
                    yield given
                values.append(given.value)
        elif isinstance(value, graphql.ListValueNode):
            values += value.values
