"""Arguments as resolvers take them: what Strawberry makes of a coerced value, of whose type all is asked beforehand.

``strawberry.types.arguments.convert_argument`` says what is to become of a value, and asks anew for each one how every
field of its type is called and what its type is.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

from strawberry import UNSET, Some
from strawberry.relay import GlobalID
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import StrawberryArgument, _is_leaf_type
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import has_enum_definition
from strawberry.types.lazy_type import LazyType

from graph.plans.run import Surprise

Convert = Callable[[Any], Any]
Place = tuple[str, str, Convert | None]
"""A field as GraphQL calls it, as Python does, and what converts its values; None where they stand as they are."""


class Unknown(Exception):
    """It has to be asked of Strawberry what becomes of values of a type."""


class Conversions:
    """What converts the arguments of a schema's fields."""

    def __init__(self, converter: GraphQLCoreConverter) -> None:
        self._registry = converter.scalar_registry
        self._config = converter.config
        self._of_inputs: dict[Any, Convert] = {}

    def of(self, arguments: list[StrawberryArgument]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """What converts the arguments of a field. Raises Unknown."""
        name_of = self._config.name_converter.from_argument
        return _converted([(name_of(one), one.python_name, self._of(one.type)) for one in arguments])

    def of_one(self, argument: StrawberryArgument) -> Convert | None:
        """What converts the values of an argument. Raises Unknown."""
        return self._of(argument.type)

    def _of(self, kind: Any) -> Convert | None:
        if isinstance(kind, StrawberryMaybe):
            return self._maybe(kind)
        if isinstance(kind, StrawberryOptional):
            return self._of(kind.of_type)
        if isinstance(kind, StrawberryList):
            return self._list(kind)
        if kind is GlobalID:
            raise Unknown
        if _is_leaf_type(kind, self._registry) or has_enum_definition(kind):
            return None
        if isinstance(kind, LazyType):
            return self._of(kind.resolve_type())
        if not has_object_definition(kind):
            raise Unknown
        return self._input(kind, kind.__strawberry_definition__)

    def _maybe(self, kind: StrawberryMaybe) -> Convert:
        inner, nullable = self._of(kind.of_type), isinstance(kind.of_type, StrawberryOptional)

        def convert(value: Any) -> Any:
            if value is None and not nullable:
                raise Surprise("null for what may only be left out")
            return Some(value if inner is None else inner(value))

        return convert

    def _list(self, kind: StrawberryList) -> Convert:
        inner = self._of(kind.of_type)

        def convert(value: Any) -> Any:
            if value is None or value is UNSET:
                return value
            # A list of its own, as a default value is everybody's.
            return list(value) if inner is None else [inner(item) for item in value]

        return convert

    def _input(self, kind: Any, definition: StrawberryObjectDefinition) -> Convert:
        found = self._of_inputs.get(kind)
        if found is not None:
            return found
        if definition.from_input is not None:
            raise Unknown
        places: list[Place] = []
        left_out = {
            field.python_name: None
            for field in definition.fields
            if definition.is_input and field.default_value is MISSING and field.default_factory is MISSING
        }
        converted = _converted(places, left_out)

        def convert(value: Any) -> Any:
            return value if value is None or value is UNSET else kind(**converted(value))

        # Before its fields are looked at, as one of them may be of the same type.
        self._of_inputs[kind] = convert
        try:
            for field in definition.fields:
                name = self._config.name_converter.from_field(field)
                places.append((name, field.python_name, self._of(field.resolve_type(type_definition=definition))))
        except Unknown:
            # Those that were found on the way may refer to it.
            self._of_inputs.clear()
            raise
        return convert


def _converted(
    places: list[Place], left_out: Mapping[str, Any] | None = None
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    nothing = dict(left_out or {})

    def convert(values: Mapping[str, Any]) -> dict[str, Any]:
        converted = nothing.copy()
        for name, python_name, inner in places:
            if name in values:
                value = values[name]
                converted[python_name] = value if inner is None else inner(value)
        return converted

    return convert
