"""Random documents over a whole schema, valid as they are made, and the values of their variables.

They have what documents made from types alone have not: fragments, named, inline, in one another and on interfaces and
unions; conditions by constants and by variables; variables with defaults, with null, and left out; aliases; and fields
asked for twice, each with a part of what is asked of them.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)

DEPTH_MAX: Final = 8
FIELDS: Final = (2, 2, 3, 3, 4, 5, 6, 8, 12, 20)
"""How many fields a document has, about: most are small, as that is where most of what can differ shows."""
OFTEN: Final = {"first": 0.9, "last": 0.04, "after": 0.04, "before": 0.04}
"""How often an argument is given that may be left out, where it is not as often as others: pages are to be short."""
NOT_GIVEN: Final[Any] = object()

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
Values = Callable[[Random, GraphQLNamedType, str, str], Any]
"""A value of a scalar, for something of a name, of a field that is about a type of that name."""


class Made(NamedTuple):
    """A document, what is sent with it, and the fields that it asks for, as ``Type.field``.

    ``otherwise`` is the same with other variables, where it has conditions.
    """

    text: str
    variables: dict[str, Any]
    operation_name: str | None
    coordinates: tuple[str, ...]
    otherwise: "Made | None" = None


class _Said(NamedTuple):
    """What stands under one name in an answer, wherever it does."""

    field: str
    takes: tuple[str, ...]
    arguments: str
    kind: str


class _Fragment(NamedTuple):
    name: str
    on: str
    text: str
    depth: int


def make(schema: GraphQLSchema, random: Random, values: Values, root: str | None = None) -> Made:
    """A random query; ``root`` is a field of Query that it is to ask for."""
    return _Maker(schema, random, values).query(root)


def make_mutation(schema: GraphQLSchema, random: Random, values: Values, root: str) -> Made:
    """A random mutation of one field, ``root``."""
    return _Maker(schema, random, values).mutation(root)


class _Maker:
    """What is known of a document while it is made."""

    def __init__(self, schema: GraphQLSchema, random: Random, values: Values) -> None:
        self._schema = schema
        self._random = random
        self._values = values
        self._left = random.choice(FIELDS)
        self._said: dict[str, _Said] = {}
        self._definitions: list[str] = []
        self._variables: dict[str, Any] = {}
        self._flags: list[str] = []
        self._fragments: list[_Fragment] = []
        self._coordinates: dict[str, None] = {}

    def query(self, root: str | None) -> Made:
        assert self._schema.query_type is not None
        first = "" if root is None else self._field(self._schema.query_type, root, 0)
        return self._made("query", f"{first} {self._selections(self._schema.query_type, 0, most=2)}")

    def mutation(self, root: str) -> Made:
        assert self._schema.mutation_type is not None
        return self._made("mutation", self._field(self._schema.mutation_type, root, 0))

    def _made(self, kind: str, selected: str) -> Made:
        name = self._random.choice(("", "", "Asked", "query", "on_it"))
        declared = f"({', '.join(self._definitions)})" if self._definitions else ""
        others = f"query Other {{ __typename }} {self._conditions_of_other()}" if name and self._often(0.1) else ""
        head = f"{kind} {name}{declared} " if name or declared or kind != "query" or self._often(0.3) else ""
        parts = [f"{head}{{ {selected} }}", *(fragment.text for fragment in self._fragments), others]
        self._random.shuffle(parts)
        made = Made("\n".join(filter(None, parts)), self._variables, name or None, tuple(self._coordinates))
        return made._replace(otherwise=made._replace(variables=self._otherwise())) if self._flags else made

    def _otherwise(self) -> dict[str, Any]:
        """Variables of the same document of which conditions are met that were not, and the other way round."""
        return {
            name: not value if f"${name}" in self._flags and isinstance(value, bool) else value
            for name, value in self._variables.items()
        } | {name[1:]: False for name in self._flags if name[1:] not in self._variables and self._often(0.5)}

    def _conditions_of_other(self) -> str:
        return self._random.choice(("", "mutation Another { __typename @skip(if: true) }"))

    # -- selections ---------------------------------------------------------------------------------------

    def _selections(self, parent: Composite, depth: int, most: int = 6) -> str:
        """What is selected of a parent, at least one field of it."""
        found = [self._selection(parent, depth)]
        found += [self._selection(parent, depth) for _ in range(self._random.randrange(most)) if self._left > 0]
        if self._often(0.2):
            found.insert(self._random.randrange(len(found) + 1), self._typename())
        return " ".join(found)

    def _selection(self, parent: Composite, depth: int) -> str:
        if self._left > 0 and depth < DEPTH_MAX and self._often(0.18):
            return self._fragment(parent, depth)
        fields: dict[str, GraphQLField] = {} if isinstance(parent, GraphQLUnionType) else parent.fields
        names = list(fields)
        if self._left <= 0 or depth >= DEPTH_MAX:
            names = [name for name in names if not is_composite_type(get_named_type(fields[name].type))]
        if isinstance(parent, GraphQLUnionType | GraphQLInterfaceType) and self._left > 0 and self._often(0.5):
            return self._fragment(parent, depth)
        if not names:
            return self._typename()
        # Half of them lead on, as most fields do not.
        leading = [name for name in names if is_composite_type(get_named_type(fields[name].type))]
        name = self._random.choice(leading if leading and self._often(0.4) else names)
        return self._field(parent, name, depth)  # type: ignore[arg-type]

    def _typename(self) -> str:
        alias = self._random.choice(("", "", "is: ", "it: "))
        return f"{alias}__typename {self._conditions()}"

    def _field(self, parent: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int) -> str:
        field = parent.fields[name]
        self._left -= 1
        self._coordinates[f"{parent.name}.{name}"] = None
        about = get_named_type(field.type)
        key, arguments = self._key(name, field, about.name)
        said = f"{key}{arguments} {self._conditions()}"
        if not is_composite_type(about):
            # Asked for twice now and then, which is once.
            return f"{said} {said}" if self._often(0.03) else said
        below = f"{said} {{ {self._selections(about, depth + 1)} }}"
        if self._left > 0 and self._often(0.2):
            between = self._typename() if self._often(0.5) else ""
            again = f"{key}{arguments} {self._conditions()} {{ {self._selections(about, depth + 1)} }}"
            return f"{below} {between} {again}"
        return below

    def _key(self, name: str, field: GraphQLField, about: str) -> tuple[str, str]:
        """Under which name a field stands in the answer, as it is written, and its arguments."""
        before, takes = self._said.get(name), tuple(field.args)
        if before is not None and before == (name, takes, before.arguments, str(field.type)) and self._often(0.7):
            return name, before.arguments
        arguments = self._arguments(field, about)
        said = _Said(name, takes, arguments, str(field.type))
        key = name if not self._often(0.15) else self._random.choice(("a", "b", "c", "id", "name", "nodes"))
        while self._said.setdefault(key, said) != said:
            key = f"{name}_{self._random.randrange(1000)}"
        return (name if key == name else f"{key}: {name}"), arguments

    def _fragment(self, parent: Composite, depth: int) -> str:
        known = [one for one in self._fragments if one.on == parent.name and one.depth >= depth]
        if known and self._often(0.4):
            return f"...{self._random.choice(known).name} {self._conditions()}"
        on = self._narrower(parent) if self._often(0.7) else parent
        if self._often(0.5):
            condition = f" on {on.name}" if on is not parent or self._often(0.5) else ""
            return f"...{condition} {self._conditions()} {{ {self._selections(on, depth, most=4)} }}"
        text = self._selections(on, depth, most=4)
        name = f"F{len(self._fragments)}"
        self._fragments.append(_Fragment(name, on.name, f"fragment {name} on {on.name} {{ {text} }}", depth))
        return f"...{name} {self._conditions()}"

    def _narrower(self, parent: Composite) -> Composite:
        """A type that an object of the parent's may have, or be of."""
        if is_object_type(parent):
            interfaces: Sequence[Composite] = parent.interfaces
            return self._random.choice(interfaces) if interfaces else parent
        return self._random.choice(self._schema.get_possible_types(parent))  # type: ignore[arg-type]

    # -- conditions, arguments and variables -----------------------------------------------------------------

    def _conditions(self) -> str:
        if not self._often(0.08):
            return ""
        both = ["@skip(if: {})", "@include(if: {})"]
        self._random.shuffle(both)
        return " ".join(one.format(self._flag()) for one in both[: self._random.choice((1, 1, 1, 2))])

    def _flag(self) -> str:
        if self._often(0.2):
            return self._random.choice(("true", "false"))
        if self._flags and self._often(0.5):
            return self._random.choice(self._flags)
        flag = self._random.choice((True, False))
        kind, given = self._random.choice(
            (
                *[("Boolean!", flag)] * 4,
                ("Boolean! = true", NOT_GIVEN),
                ("Boolean! = false", flag),
                ("Boolean = true", NOT_GIVEN),
                ("Boolean = false", flag),
            )
        )
        if kind == "Boolean = true" and self._often(0.05):
            given = None  # which is an error of the executor's
        self._flags.append(self._declared(kind, given))
        return self._flags[-1]

    def _declared(self, kind: str, given: Any) -> str:
        name = f"v{len(self._definitions)}"
        self._definitions.append(f"${name}: {kind}")
        if given is not NOT_GIVEN:
            self._variables[name] = given
        return f"${name}"

    def _arguments(self, field: GraphQLField, about: str) -> str:
        given = []
        for name, argument in field.args.items():
            if is_required_argument(argument) or self._often(OFTEN.get(name, 0.25)):
                given.append(f"{name}: {self._argument(argument, name, about)}")
        self._random.shuffle(given)
        return f"({', '.join(given)})" if given else ""

    def _argument(self, argument: GraphQLArgument, name: str, about: str) -> str:
        kind, inner = argument.type, argument.type
        value = self._value(kind, name, about)
        if self._often(0.5):
            return self._literal(kind, value, name, about)
        if is_non_null_type(inner):
            inner = inner.of_type
        has_default = argument.default is not None
        default = f" = {self._literal(inner, value, name, about, constant=True)}" if value is not None else ""
        ways = [(str(kind), value)] * 6
        if value is not None:
            ways += [(f"{inner}!", value), (f"{inner}{default}", NOT_GIVEN), (f"{inner}!{default}", NOT_GIVEN)]
        if inner is kind:
            ways += [(str(inner), None), (str(inner), NOT_GIVEN), (f"{inner}{default}", None)]
        elif default or has_default:
            # Null where there must be none is an error of the executor's.
            ways += [(f"{inner}{default}", value), (f"{inner}{default}", self._random.choice((value, value, None)))]
        return self._declared(*self._random.choice(ways))

    def _value(self, kind: GraphQLInputType, name: str, about: str) -> Any:
        """A value as JSON has it."""
        if is_non_null_type(kind):
            return self._value_of(kind.of_type, name, about)
        return None if self._often(0.08) else self._value_of(kind, name, about)

    def _value_of(self, kind: GraphQLInputType, name: str, about: str) -> Any:
        if is_list_type(kind):
            if self._often(0.1) and not is_list_type(get_named_type(kind)):
                return self._value_of(_of(kind), name, about)  # one is a list of one
            return [self._value(kind.of_type, name, about) for _ in range(self._random.randrange(4))]
        if is_enum_type(kind):
            return self._random.choice(list(kind.values))
        if is_input_object_type(kind):
            return self._object(kind, about)
        return self._values(self._random, kind, name, about)  # type: ignore[arg-type]

    def _object(self, kind: GraphQLInputObjectType, about: str) -> dict[str, Any]:
        if _is_one_of(kind):
            name = self._random.choice(list(kind.fields))
            return {name: self._value_of(kind.fields[name].type, name, about)}
        return {
            name: self._value(field.type, name, about)
            for name, field in kind.fields.items()
            if is_required_input_field(field) or self._often(0.3)
        }

    def _literal(self, kind: GraphQLInputType, value: Any, name: str, about: str, *, constant: bool = False) -> str:
        """The value as a document has it; parts of it may be variables."""
        if is_non_null_type(kind):
            return self._literal(kind.of_type, value, name, about, constant=constant)
        if value is None:
            return "null"
        if is_list_type(kind):
            if not isinstance(value, list):
                return self._literal(_of(kind), value, name, about, constant=constant)
            items = (self._literal(kind.of_type, item, name, about, constant=constant) for item in value)
            return f"[{', '.join(items)}]"
        if isinstance(kind, GraphQLEnumType):
            return str(value)
        if isinstance(kind, GraphQLInputObjectType):
            parts = []
            for key, inner in value.items():
                of = kind.fields[key]
                if not constant and inner is not None and self._often(0.2):
                    required = "!" if _is_one_of(kind) and not is_non_null_type(of.type) else ""
                    parts.append(f"{key}: {self._declared(f'{of.type}{required}', inner)}")
                else:
                    parts.append(f"{key}: {self._literal(of.type, inner, key, about, constant=constant)}")
            return f"{{{', '.join(parts)}}}"
        return json.dumps(value, ensure_ascii=self._often(0.5))

    def _often(self, share: float) -> bool:
        return self._random.random() < share


def _of(kind: Any) -> GraphQLInputType:
    """Of what an innermost list is."""
    found: GraphQLInputType = get_named_type(kind)
    return found


def _is_one_of(kind: GraphQLInputObjectType) -> bool:
    """Whether one field is to be given of it; graphql-core does not know that of Strawberry's."""
    declared = kind.extensions.get("strawberry-definition")
    return kind.is_one_of or bool(declared and declared.is_one_of)
