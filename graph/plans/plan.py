"""The plan of one operation: one Python function for each selection set, written down and compiled.

What ``{ viewer { member { externalId points { available } } } }`` becomes is shown in ``README.md``.
"""

from asyncio import Future, Task
from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import Any, Final

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from strawberry import Info, Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import _OperationContextAwareGraphQLResolveInfo as RawInfo
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from graph.context import Context
from graph.plans.run import Complete, Run, Surprise
from graph.plans.values import AS_THEY_ARE, PLAIN, leaf, look_at
from graph.resolving import Attribute, Function, declared_of, direct_of

FIELDS_MAX: Final = 1_000
"""Fields of a plan. A longer operation takes longer to answer than to be looked through."""

AWAITED: Final = frozenset({CoroutineType, Future, Task})
"""Of which classes is what resolvers give to be waited for. Another awaitable is a surprise where it is no value."""

Details = list[FieldDetails]


class TooLong(Exception):
    """The operation has more fields than a plan."""


class _NoPath:
    """What resolvers of a plan see for a path: nothing, as it is another for each item of a list."""

    def __getattr__(self, name: str) -> Any:
        raise Surprise("a resolver asks for its path")


class Plan:
    """One operation of a document, of whose conditions (``@skip``, ``@include``) it is known what they leave out.

    Raises TooLong.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDetails],
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._strawberry: Schema = schema._strawberry_schema  # type: ignore[attr-defined]  # that has made it
        self._fragments = dict(fragments)
        self._definitions = {name: details.definition for name, details in fragments.items()}
        self._operation = operation
        # Only the conditions are looked up in them.
        self._variables = variables
        self._fields: list[tuple[GraphQLObjectType, GraphQLField, Details]] = []
        root = schema.get_root_type(operation.operation)
        assert root is not None, "the document is valid"
        collected = collect_fields(schema, self._fragments, variables, root, operation, True)
        self._root = self._object(root, collected.grouped_field_set, required=True)

    @property
    def size(self) -> int:
        """How many fields it has by now."""
        return len(self._fields)

    async def run(self, context: Context, variables: VariableValues) -> dict[str, Any]:
        """The answer. Raises Surprise when there is none without an error."""
        run = Run(context, variables, self._raw_info, self._info, self._arguments)
        try:
            answer: dict[str, Any] = self._root(None, run)
            await run.finish()
        except Surprise:
            run.abandon()
            raise
        except Exception as error:
            run.abandon()
            raise Surprise(f"{type(error).__name__}: {error}") from error
        except BaseException:
            run.abandon()
            raise
        finally:
            run.release()
        return answer

    # -- what functions ask for, once in a run -------------------------------------------------------

    def _raw_info(self, run: Run, number: int) -> RawInfo:
        parent, field, details = self._fields[number]
        nodes = [detail.node for detail in details]
        return RawInfo(
            field_name=nodes[0].name.value,
            field_nodes=nodes,
            return_type=field.type,
            parent_type=parent,
            path=_NoPath(),  # type: ignore[arg-type]  # so that nobody takes another's for theirs
            schema=self._schema,
            fragments=self._definitions,
            root_value=None,
            operation=self._operation,
            variable_values=run.variables.coerced,
            context=run.context,
            is_awaitable=optimized_is_awaitable,
            abort_signal=None,
            async_helpers=None,
            operation_extensions={},
        )

    def _info(self, run: Run, number: int) -> Info[Any, Any]:
        _, field, _ = self._fields[number]
        declared = declared_of(field)
        assert isinstance(declared, StrawberryField), "it is resolved directly"
        return Info(_raw_info=run.raw_infos[number], _field=declared)

    def _arguments(self, run: Run, number: int) -> dict[str, Any]:
        _, field, details = self._fields[number]
        values = get_argument_values(field, details[0].node, run.variables, None, True)
        declared = declared_of(field)
        if declared is None or direct_of(field) is None:
            return values
        return convert_arguments(
            values,
            declared.arguments,
            scalar_registry=self._strawberry.schema_converter.scalar_registry,
            config=self._strawberry.config,
            info=run.infos[number],
        )

    # -- writing it down ------------------------------------------------------------------------------

    def _object(
        self, kind: GraphQLObjectType, fields: Mapping[str, Details], number: int = -1, *, required: bool
    ) -> Complete:
        """What answers the selected fields of an object, which is the value of the field of that number if of any."""
        text = _Text(f"of_{kind.name}")
        if number >= 0:
            text.nothing(required)
            text.line(f"if value.__class__ not in PLAIN: {text.name(look_at)}(value)")
            if kind.is_type_of is not None:
                text.line(f"if not {text.name(kind.is_type_of)}(value, run.raw_infos[{number}]):")
                text.line(f"    raise Surprise('no {kind.name}')")
        text.line("answer = {}")
        for name, details in fields.items():
            self._field(text, kind, name, details)
        text.line("return answer")
        return text.compiled()

    def _field(self, text: "_Text", kind: GraphQLObjectType, name: str, details: Details) -> None:
        field_name = details[0].node.name.value
        put = f"answer[{name!r}]"
        if field_name == "__typename":
            text.line(f"{put} = {kind.name!r}")
            return
        field = self._schema.get_field(kind, field_name)
        assert field is not None, "the document is valid"
        number = self._number(kind, field, details)
        text.line(f"found = {self._resolved(text, field, number)}")
        completed = text.name(self._complete(field.type, details, number))
        inner = field.type.of_type if is_non_null_type(field.type) else field.type
        word = "if"
        if is_leaf_type(inner) and inner in AS_THEY_ARE:
            text.line(f"if {AS_THEY_ARE[inner].format('found')}:")
            text.line(f"    {put} = found")
            word = "elif"
        if not isinstance(direct_of(field), Attribute):
            text.line(f"{word} found.__class__ in AWAITED:")
            text.line(f"    {put} = None")  # its place among the others
            text.line(f"    run.wait(found, {completed}, answer, {name!r})")
            word = "elif"
        text.line(f"{put} = {completed}(found, run)" if word == "if" else f"else: {put} = {completed}(found, run)")

    def _resolved(self, text: "_Text", field: GraphQLField, number: int) -> str:
        """How Python says what a field is resolved to."""
        arguments = (f"**run.arguments[{number}]",) if field.args else ()
        match direct_of(field):
            case Attribute(name) if name.isidentifier() and not field.args:
                return f"value.{name}"
            case Function(function, takes_parent, takes_info):
                parent = ("value",) if takes_parent else ()
                info = (f"info=run.infos[{number}]",) if takes_info else ()
                return f"{text.name(function)}({', '.join((*parent, *info, *arguments))})"
            case _:
                resolve = text.name(field.resolve or default_field_resolver)
                return f"{resolve}({', '.join(('value', f'run.raw_infos[{number}]', *arguments))})"

    def _complete(self, kind: GraphQLOutputType, details: Details, number: int, *, required: bool = False) -> Complete:
        """What writes values of a type as they stand in the answer."""
        if is_non_null_type(kind):
            return self._complete(kind.of_type, details, number, required=True)
        if is_leaf_type(kind):
            return leaf(kind, required=required)
        if is_list_type(kind):
            text = _Text("of_list")
            text.nothing(required)
            text.line("if value.__class__ is not list and value.__class__ is not tuple: raise Surprise('no list')")
            item = text.name(self._complete(kind.of_type, details, number))
            text.line(f"return [{item}(item, run) for item in value]")
            return text.compiled()
        if is_abstract_type(kind):
            return self._abstract(kind, details, number, required=required)
        assert is_object_type(kind), "there is no other"
        return self._selected(kind, details, number, required=required)

    def _abstract(self, kind: GraphQLAbstractType, details: Details, number: int, *, required: bool) -> Complete:
        text = _Text(f"of_{kind.name}")
        text.nothing(required)
        text.line(f"if value.__class__ not in PLAIN: {text.name(look_at)}(value)")
        resolve = text.name(kind.resolve_type or default_type_resolver)
        text.line(f"kind = {resolve}(value, run.raw_infos[{number}], {text.name(kind)})")
        text.line(
            f"return {text.name(_Variants(lambda name: self._variant(kind, name, details, number)))}[kind](value, run)"
        )
        return text.compiled()

    def _variant(self, abstract: GraphQLAbstractType, name: Any, details: Details, number: int) -> Complete:
        """What answers an object that an abstract type has turned out to be."""
        kind = self._schema.get_type(name) if isinstance(name, str) else None
        if not is_object_type(kind) or not self._schema.is_sub_type(abstract, kind):
            raise Surprise(f"{name!r} is no {abstract}")
        try:
            return self._selected(kind, details, number, required=True)
        except TooLong:
            raise Surprise("too many kinds of objects") from None

    def _selected(self, kind: GraphQLObjectType, details: Details, number: int, *, required: bool) -> Complete:
        collected = collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, kind, details, True
        )
        return self._object(kind, collected.grouped_field_set, number, required=required)

    def _number(self, kind: GraphQLObjectType, field: GraphQLField, details: Details) -> int:
        """Under which number a run has what the resolver of a field is given."""
        if len(self._fields) >= FIELDS_MAX:
            raise TooLong
        self._fields.append((kind, field, details))
        return len(self._fields) - 1


class _Variants(dict[str, Complete]):
    """What answers the objects of an abstract type, by what they are; compiled for those that there are."""

    def __init__(self, compile_one: Callable[[Any], Complete]) -> None:
        self._compile = compile_one

    def __missing__(self, name: str) -> Complete:
        made = self[name] = self._compile(name)
        return made


class _Text:
    """The text of a function that completes ``value`` in a ``run``, and what its names stand for."""

    def __init__(self, about: str) -> None:
        self._about = about
        self._lines = [f"def {about}(value, run):"]
        self._names: dict[str, Any] = {"Surprise": Surprise, "AWAITED": AWAITED, "PLAIN": PLAIN}

    def name(self, thing: Any) -> str:
        """A name for something."""
        name = f"{getattr(thing, '__name__', 'it')}_{len(self._names)}"
        # A type may be called as another one is with a number.
        name = name if name.isidentifier() and name != self._about else f"it_{len(self._names)}"
        self._names[name] = thing
        return name

    def line(self, line: str) -> None:
        self._lines.append(f"    {line}")

    def nothing(self, required: bool) -> None:
        """What becomes of null."""
        self.line("if value is None: raise Surprise('null')" if required else "if value is None: return None")

    def compiled(self) -> Complete:
        names = self._names
        # Of the text nothing is a client's but names, which are written as Python writes strings.
        exec(compile("\n".join(self._lines), f"<plan {self._about}>", "exec"), names)
        made: Complete = names[self._about]
        return made
