"""The plan of one operation: one Python function for each selection set, written down and compiled.

What ``{ viewer { member { externalId points { available } } } }`` becomes is shown in ``README.md``.
"""

from asyncio import Future, Task
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import CoroutineType, NoneType
from typing import Any, Final, NamedTuple

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    IntValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    VariableNode,
    default_field_resolver,
    default_type_resolver,
    is_abstract_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_scalar_type,
    is_specified_scalar_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, coerce_argument, get_argument_values
from graphql.pyutils import Path
from graphql.utilities.coerce_input_value import coerce_input_literal
from strawberry import Info, Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import _OperationContextAwareGraphQLResolveInfo as RawInfo
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from graph.context import Context, Selected
from graph.plans.arguments import Conversions, Convert, Unknown
from graph.plans.run import Complete, Resolved, Run, Surprise
from graph.plans.values import NAMES, PLAIN, at_once, leaf, look_at
from graph.resolving import Attribute, Function, declared_of, direct_of

FIELDS_MAX: Final = 1_000
"""Fields of a plan. A longer operation takes longer to answer than to be looked through."""

AWAITED: Final = frozenset({CoroutineType, Future, Task})
"""Of which classes is what resolvers give to be waited for. Another awaitable is a surprise where it is no value."""

Details = list[FieldDetails]


_LEAVES: Final = (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    NullValueNode,
    StringValueNode,
)
_VARIABLES, _CONTEXT = map(RawInfo._fields.index, ("variable_values", "context"))
assert _CONTEXT == _VARIABLES + 1, "they stand side by side"
assert RawInfo._fields[-1] == "operation_extensions", "each run has its own"
_UNCHANGING: Final = frozenset({NoneType, bool, int, float, str, Decimal, date, datetime})


class TooLong(Exception):
    """The operation has more fields than a plan."""


class _Variable(NamedTuple):
    """A variable that is an argument: as it stands, or by what converts it."""

    argument: str
    name: str
    required: bool
    convert: Convert | None


class _StandIn(NamedTuple):
    """Stands where the value of a variable will, which nothing is asked of any more."""

    variable: str


class _Written(NamedTuple):
    """An argument that is an object in which variables stand, by the names that its fields have once coerced."""

    argument: str
    constants: Mapping[str, Any]
    variables: Mapping[str, str]
    convert: Convert


class _Known(NamedTuple):
    """Arguments that are constants, variables and objects of both, by Python's names."""

    constants: Mapping[str, Any]
    variables: Sequence[_Variable]
    written: Sequence[_Written]

    def given(self, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        """The arguments; None where a variable is left out, or null where there must be none."""
        found = dict(self.constants)
        for argument, name, required, convert in self.variables:
            value = variables.get(name)
            if value is None and (required or name not in variables):
                return None
            found[argument] = value if convert is None else convert(value)
        for argument, constants, names, convert in self.written:
            fields = dict(constants)
            for field, name in names.items():
                value = variables.get(name)
                if value is None:
                    return None  # what that means is another question for each field
                fields[field] = value
            found[argument] = convert(fields)
        return found


class Unplanned(Exception):
    """A mutation of several fields, which are performed one after another, or of one that is no function."""


class _Mutation(NamedTuple):
    """The one field of a mutation: how it is called in the answer, its number, what performs it and what answers it."""

    name: str
    number: int
    function: Function
    complete: Complete


class _Info(Info[Any, Any]):
    """What resolvers are given; what graphql-core would give, which most never ask for, is made when they do.

    ``of_field`` are the ids of the field's nodes: see ``graph.selections``.
    """

    # The context among them, no property here, as resolvers ask for it again and again.
    __slots__ = ("_made", "_number", "_run", "context")
    _made: RawInfo

    def __init__(self, run: Run, number: int) -> None:
        self.context = run.context  # type: ignore[misc]  # a slot
        self._run = run
        self._number = number

    @property
    def _raw_info(self) -> RawInfo:  # type: ignore[override]  # read as an attribute
        try:
            made: RawInfo = self._made
        except AttributeError:
            made = self._made = self._run.plan.raw_info(self._run, self._number)
        return made

    @property
    def _field(self) -> StrawberryField:  # type: ignore[override]  # read as an attribute
        declared, _ = self._run.plan.declared(self._number)
        return declared

    @property
    def of_field(self) -> tuple[int, ...]:
        _, nodes = self._run.plan.declared(self._number)
        return nodes


class _NoPath:
    """What resolvers of a plan see for a path: nothing, as it is another for each item of a list."""

    def __getattr__(self, name: str) -> Any:
        raise Surprise("a resolver asks for its path")


class Plan:
    """One operation of a document, of whose conditions (``@skip``, ``@include``) it is known what they leave out.

    Raises TooLong, Unplanned.
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
        self._infos: dict[int, RawInfo] = {}
        self._declared: dict[int, tuple[StrawberryField, tuple[int, ...]]] = {}
        self._known: dict[int, _Known] = {}
        self._found: Selected = {}
        root = schema.get_root_type(operation.operation)
        assert root is not None, "the document is valid"
        fields = collect_fields(schema, self._fragments, variables, root, operation, True).grouped_field_set
        self._conversions = Conversions(self._strawberry.schema_converter)
        self._convert: dict[int, Convert | None] = {}
        self._mutation: _Mutation | None = None
        if operation.operation is OperationType.MUTATION:
            self._mutation = self._only(root, fields)
        else:
            self._root = self._object(root, fields, required=True)

    @property
    def size(self) -> int:
        """How many fields it has by now."""
        return len(self._fields)

    async def run(self, context: Context, variables: VariableValues) -> dict[str, Any]:
        """The answer. Raises Surprise when there is none without an error."""
        # What resolvers find out of the document is the same for all who ask it.
        context.selected = self._found
        run = Run(context, variables, self)
        try:
            answer: dict[str, Any] = self._root(None, run) if self._mutation is None else await self._perform(run)
            await run.finish()
        except Surprise as surprise:
            run.abandon()
            surprise.resolved = run.resolved
            raise
        except Exception as error:
            run.abandon()
            raise Surprise(f"{type(error).__name__}: {error}", run.resolved) from error
        except BaseException:
            run.abandon()
            raise
        finally:
            run.release()
        return answer

    # -- a mutation -----------------------------------------------------------------------------------

    def _only(self, root: GraphQLObjectType, fields: Mapping[str, Details]) -> _Mutation:
        if len(fields) != 1:
            raise Unplanned
        [(name, details)] = fields.items()
        field = self._schema.get_field(root, details[0].node.name.value)
        function = None if field is None else direct_of(field)
        if field is None or not isinstance(function, Function) or not function.takes_info:
            raise Unplanned
        number = self._number(root, field, details)
        return _Mutation(name, number, function, self._complete(field.type, details, number))

    async def _perform(self, run: Run) -> dict[str, Any]:
        """Perform the mutation, and begin to answer what is selected of its payload.

        Until the resolver is called nothing is done, so that graphql-core may begin anew. From then on the run knows
        what it gave, and whoever answers goes on from there.
        """
        assert self._mutation is not None
        name, number, (function, takes_parent, _, _), complete = self._mutation
        info, arguments = run.infos[number], run.arguments[number]
        _, field, _ = self._fields[number]
        parent = (None,) if takes_parent else ()
        run.resolved = resolved = Resolved(field)
        return {name: complete(await resolved.by(function(*parent, info=info, **arguments)), run)}

    # -- what functions ask for, once in a run -------------------------------------------------------

    def raw_info(self, run: Run, number: int) -> RawInfo:
        found = self._infos.get(number)
        if found is None:
            found = self._infos[number] = self._nobodys_info(number)
        return RawInfo._make((*found[:_VARIABLES], run.variables.coerced, run.context, *found[_CONTEXT + 1 : -1], {}))

    def _nobodys_info(self, number: int) -> RawInfo:
        """What is the same in all runs."""
        parent, field, details = self._fields[number]
        nodes = [detail.node for detail in details]
        return RawInfo(
            field_name=nodes[0].name.value,
            field_nodes=nodes,
            return_type=field.type,
            parent_type=parent,
            path=self._path(number, parent),
            schema=self._schema,
            fragments=self._definitions,
            root_value=None,
            operation=self._operation,
            variable_values={},
            context=None,
            is_awaitable=optimized_is_awaitable,
            abort_signal=None,
            async_helpers=None,
            operation_extensions={},
        )

    def _path(self, number: int, parent: GraphQLObjectType) -> Path:
        if self._mutation is not None and number == self._mutation.number:
            return Path(None, self._mutation.name, parent.name)
        return _NoPath()  # type: ignore[return-value]  # so that nobody takes another's for theirs

    info = _Info

    def declared(self, number: int) -> tuple[StrawberryField, tuple[int, ...]]:
        """A field as it is declared, and the ids of its nodes."""
        found = self._declared.get(number)
        if found is None:
            _, field, details = self._fields[number]
            declared = declared_of(field)
            assert declared is not None, "it is resolved directly"
            found = self._declared[number] = (declared, tuple(id(detail.node) for detail in details))
        return found

    def arguments(self, run: Run, number: int) -> dict[str, Any]:
        _, field, details = self._fields[number]
        known = self._known.get(number)
        given = None if known is None else known.given(run.variables.coerced)
        if given is not None:
            return given
        if number not in self._convert:
            self._convert[number] = self._conversion(field)
        convert = self._convert[number]
        if convert is not None:
            converted: dict[str, Any] = convert(get_argument_values(field, details[0].node, run.variables, None, True))
            return converted
        return self._converted(field, details, run.variables, lambda: run.infos[number])

    def _conversion(self, field: GraphQLField) -> Convert | None:
        """What converts the arguments of a field, where Strawberry need not be asked each time."""
        declared = declared_of(field)
        if declared is None or direct_of(field) is None:
            return None
        try:
            return self._conversions.of(declared.arguments)
        except Unknown:
            return None

    def _converted(
        self, field: GraphQLField, details: Details, variables: VariableValues, info: Callable[[], Any] | None
    ) -> dict[str, Any]:
        values = get_argument_values(field, details[0].node, variables, None, True)
        declared = declared_of(field)
        if declared is None or direct_of(field) is None:
            return values
        return self._as_declared(declared, values, info)

    def _as_declared(
        self, declared: StrawberryField, values: dict[str, Any], info: Callable[[], Any] | None = None
    ) -> dict[str, Any]:
        return convert_arguments(
            values,
            declared.arguments,
            scalar_registry=self._strawberry.schema_converter.scalar_registry,
            config=self._strawberry.config,
            info=None if info is None else info(),
        )

    # -- writing it down ------------------------------------------------------------------------------

    def _object(
        self,
        kind: GraphQLObjectType,
        fields: Mapping[str, Details],
        number: int = -1,
        *,
        required: bool,
        alone: bool = False,
    ) -> Complete:
        """What answers the selected fields of an object, which is the value of the field of that number if of any.

        ``alone`` it is the only one of a list, as a function gives it that could tell of all.
        """
        text = _Text(f"of_{kind.name}")
        if alone:
            text.line("[value] = value")
        if number >= 0:
            text.nothing(required)
            self._checked(text, kind, number)
        text.line("answer = {}")
        for name, details in fields.items():
            self._field(text, kind, name, details)
        text.line("return answer")
        return text.compiled()

    def _objects(
        self,
        kind: GraphQLObjectType,
        fields: Mapping[str, Details],
        number: int,
        *,
        list_required: bool,
        required: bool,
    ) -> Complete:
        """The same for a list of objects: what a resolver tells of all of them at once it is asked once."""
        text = _Text(f"of_{kind.name}_list")
        self._list(text, list_required)
        text.line("answers, parents, theirs = [], [], []")
        text.line("for value in value:")
        text.depth = 2
        text.line("if value is None:")
        text.line("    raise Surprise('null')" if required else "    answers.append(None); continue")
        self._checked(text, kind, number)
        text.line("answer = {}")
        text.line("answers.append(answer)")
        together = []
        for name, details in fields.items():
            found = self._of_all(kind, details)
            if found is None:
                self._field(text, kind, name, details)
            else:
                text.line(f"answer[{name!r}] = None")  # its place among the others
                together.append((name, details, *found))
        if together:
            text.line("parents.append(value)")
            text.line("theirs.append(answer)")
        text.depth = 1
        if together:
            text.line("if parents:")
            for name, details, field, of_all in together:
                n = self._number(kind, field, details)
                told = ", ".join(("parents", f"info=run.infos[{n}]", *self._given(text, field, n)))
                completed = text.name(self._complete_all(field.type, details, n))
                text.line(f"    run.wait_for_all({text.name(of_all)}({told}), {completed}, theirs, {name!r})")
        text.line("return answers")
        return text.compiled()

    def _complete_all(self, kind: GraphQLOutputType, details: Details, number: int) -> Complete:
        """What writes the values that a field has of many objects."""
        inner = kind.of_type if is_non_null_type(kind) else kind
        if is_object_type(inner):
            # As a list of them, so that of what is selected below all is asked at once as well.
            fields = self._fields_of(inner, details)
            return self._objects(inner, fields, number, list_required=True, required=inner is not kind)
        text = _Text("of_each")
        self._list(text, required=True)
        completed = text.name(self._complete(kind, details, number))
        text.line(f"return [{completed}(each, run) for each in value]")
        return text.compiled()

    def _of_all(self, kind: GraphQLObjectType, details: Details) -> tuple[GraphQLField, Callable[..., Any]] | None:
        """A field that a function gives of many objects at once, and that function."""
        field = self._schema.get_field(kind, details[0].node.name.value)
        direct = None if field is None else direct_of(field)
        if field is None or not isinstance(direct, Function) or direct.of_all is None:
            return None
        return field, direct.of_all

    def _checked(self, text: "_Text", kind: GraphQLObjectType, number: int) -> None:
        """Whether a value is one, and of the type."""
        indent = ""
        if kind.is_type_of is not None and (known := _class_of(kind)) is not None:
            # Of what is of the class nothing is asked.
            text.line(f"if type(value) is not {text.name(known)}:")
            indent = "    "
        text.line(f"{indent}if type(value) not in PLAIN: {text.name(look_at)}(value)")
        if kind.is_type_of is not None:
            text.line(f"{indent}if not {text.name(kind.is_type_of)}(value, run.raw_infos[{number}]):")
            text.line(f"{indent}    raise Surprise('no {kind.name}')")

    @staticmethod
    def _list(text: "_Text", required: bool) -> None:
        text.nothing(required)
        text.line("if type(value) is not list and type(value) is not tuple: raise Surprise('no list')")

    def _field(self, text: "_Text", kind: GraphQLObjectType, name: str, details: Details) -> None:
        field_name = details[0].node.name.value
        put = f"answer[{name!r}]"
        if field_name == "__typename":
            text.line(f"{put} = {kind.name!r}")
            return
        field = self._schema.get_field(kind, field_name)
        assert field is not None, "the document is valid"
        number = self._number(kind, field, details)
        inner = field.type.of_type if is_non_null_type(field.type) else field.type
        direct = direct_of(field)
        if isinstance(direct, Function) and direct.of_all is not None and is_object_type(inner):
            # The resolver would ask the same of its one parent.
            told = ", ".join(("(value,)", f"info=run.infos[{number}]", *self._given(text, field, number)))
            fields, required = self._fields_of(inner, details), inner is not field.type
            completed = text.name(self._object(inner, fields, number, required=required, alone=True))
            text.line(f"{put} = None")  # its place among the others
            text.line(f"run.wait({text.name(direct.of_all)}({told}), {completed}, answer, {name!r})")
            return
        text.line(f"found = {self._resolved(text, field, number)}")
        completed = text.name(self._complete(field.type, details, number))
        word = "if"
        if is_leaf_type(inner) and (plain := at_once(inner, "found")) is not None:
            condition, written = plain
            text.line(f"if {condition}:")
            text.line(f"    {put} = {written}")
            word = "elif"
        if not isinstance(direct, Attribute):
            text.line(f"{word} type(found) in AWAITED:")
            text.line(f"    {put} = None")  # its place among the others
            text.line(f"    run.wait(found, {completed}, answer, {name!r})")
            word = "elif"
        text.line(f"{put} = {completed}(found, run)" if word == "if" else f"else: {put} = {completed}(found, run)")

    def _resolved(self, text: "_Text", field: GraphQLField, number: int) -> str:
        """How Python says what a field is resolved to."""
        arguments = self._given(text, field, number)
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

    def _given(self, text: "_Text", field: GraphQLField, number: int) -> tuple[str, ...]:
        """How Python says a field's arguments: as they stand in the document, or what is looked up in each run."""
        if not field.args:
            return ()
        _, _, details = self._fields[number]
        nodes = details[0].node.arguments or ()
        if all(isinstance(node.value, _LEAVES) for node in nodes):
            values = self._converted(field, details, self._variables, None)
            # What a resolver could change is made for each of them anew.
            if all(value.__class__ in _UNCHANGING or isinstance(value, Enum) for value in values.values()):
                return (f"**{text.name(values)}",) if values else ()
        elif (known := self._known_of(field, nodes)) is not None:
            self._known[number] = known
        return (f"**run.arguments[{number}]",)

    def _known_of(self, field: GraphQLField, nodes: Sequence[ArgumentNode]) -> "_Known | None":
        """What is known of arguments of which some are variables; None where more has to be asked than their values."""
        declared = declared_of(field)
        if declared is None or direct_of(field) is None:
            return None
        given = {node.name.value: node.value for node in nodes}
        python_names = {self._strawberry.config.name_converter.from_argument(one): one for one in declared.arguments}
        values: dict[str, Any] = {}
        variables, written = [], []
        for name, argument in field.args.items():
            value = given.get(name)
            if isinstance(value, VariableNode):
                kind = argument.type.of_type if is_non_null_type(argument.type) else argument.type
                convert = None
                if is_input_object_type(kind):
                    try:
                        convert = self._conversions.of_one(python_names[name])
                    except Unknown:
                        return None
                elif not is_scalar_type(kind) or not is_specified_scalar_type(kind):
                    return None
                python_name = python_names[name].python_name
                variables.append(_Variable(python_name, value.name.value, kind is not argument.type, convert))
            elif isinstance(value, ObjectValueNode):
                found = self._written(argument.type, value, python_names[name])
                if found is None:
                    return None
                written.append(found)
            elif value is not None and not isinstance(value, _LEAVES):
                return None
            else:
                node = next((node for node in nodes if node.name.value == name), None)
                coerce_argument(values, self._operation, name, argument, node, None, None, True)  # type: ignore[arg-type]  # named in errors only
        constants = self._as_declared(declared, values)
        if not all(value.__class__ in _UNCHANGING or isinstance(value, Enum) for value in constants.values()):
            return None
        return _Known(constants, tuple(variables), tuple(written))

    def _written(
        self, kind: GraphQLInputType, node: ObjectValueNode, declared: StrawberryArgument
    ) -> "_Written | None":
        """An argument that is written as an object; None where something else stands in it than leaves of them."""
        names = [field.value.name.value for field in node.fields if isinstance(field.value, VariableNode)]
        if not all(isinstance(field.value, (*_LEAVES, VariableNode)) for field in node.fields):
            return None
        stand_ins = {name: _StandIn(name) for name in names}
        coerced = coerce_input_literal(node, kind, VariableValues({}, stand_ins))
        try:
            convert = self._conversions.of_one(declared)
        except Unknown:
            return None
        if convert is None or coerced.__class__ is not dict:
            return None
        constants = {name: value for name, value in coerced.items() if not isinstance(value, _StandIn)}
        if not all(value.__class__ in _UNCHANGING or isinstance(value, Enum) for value in constants.values()):
            return None
        variables = {name: value.variable for name, value in coerced.items() if isinstance(value, _StandIn)}
        return _Written(declared.python_name, constants, variables, convert)

    def _complete(self, kind: GraphQLOutputType, details: Details, number: int, *, required: bool = False) -> Complete:
        """What writes values of a type as they stand in the answer."""
        if is_non_null_type(kind):
            return self._complete(kind.of_type, details, number, required=True)
        if is_leaf_type(kind):
            return leaf(kind, required=required)
        if is_list_type(kind):
            of_required = is_non_null_type(kind.of_type)
            item_kind = kind.of_type.of_type if of_required else kind.of_type
            if is_object_type(item_kind):
                fields = self._fields_of(item_kind, details)
                return self._objects(item_kind, fields, number, list_required=required, required=of_required)
            text = _Text("of_list")
            self._list(text, required)
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
        text.line(f"if type(value) not in PLAIN: {text.name(look_at)}(value)")
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
        return self._object(kind, self._fields_of(kind, details), number, required=required)

    def _fields_of(self, kind: GraphQLObjectType, details: Details) -> Mapping[str, Details]:
        """The fields of an object of a type that are selected where a field is."""
        return collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, kind, details, True
        ).grouped_field_set

    def _number(self, kind: GraphQLObjectType, field: GraphQLField, details: Details) -> int:
        """Under which number a run has what the resolver of a field is given."""
        if len(self._fields) >= FIELDS_MAX:
            raise TooLong
        self._fields.append((kind, field, details))
        return len(self._fields) - 1


def _class_of(kind: GraphQLObjectType) -> type | None:
    """The class whose objects are of a type without being asked, where there is one."""
    declared = kind.extensions.get("strawberry-definition")
    if not isinstance(declared, StrawberryObjectDefinition) or declared.is_type_of is not None:
        return None
    # They are to be values: neither raised nor waited for.
    origin = declared.origin
    return None if issubclass(origin, Exception) or hasattr(origin, "__await__") else origin


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
        self.depth = 1
        self._names: dict[str, Any] = {"Surprise": Surprise, "AWAITED": AWAITED, "PLAIN": PLAIN, **NAMES}

    def name(self, thing: Any) -> str:
        """A name for something."""
        name = f"{getattr(thing, '__name__', 'it')}_{len(self._names)}"
        # A type may be called as another one is with a number.
        name = name if name.isidentifier() and name != self._about else f"it_{len(self._names)}"
        self._names[name] = thing
        return name

    def line(self, line: str) -> None:
        self._lines.append(f"{'    ' * self.depth}{line}")

    def nothing(self, required: bool) -> None:
        """What becomes of null."""
        self.line("if value is None: raise Surprise('null')" if required else "if value is None: return None")

    def compiled(self) -> Complete:
        names = self._names
        # Of the text nothing is a client's but names, which are written as Python writes strings.
        exec(compile("\n".join(self._lines), f"<plan {self._about}>", "exec"), names)
        made: Complete = names[self._about]
        return made
