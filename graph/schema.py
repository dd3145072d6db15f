"""The schema, made anew for each set of plugins.

What a plugin offers is added to copies of the fields of ``Query``, ``Mutation`` and ``Member``, so that nothing is
shared between two schemas of one process. Docstrings become descriptions here, and what may be left out is printed
without a default of null: null says no more than leaving it out.
"""

import copy
import inspect
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Final

import strawberry
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOneOfDirective,
    GraphQLSchema,
    is_introspection_type,
    specified_rules,
)
from strawberry import ID, UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema_directives import OneOf
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.field import StrawberryField

from core.books.members import Member as MemberValue
from core.errors import InvalidValue
from graph.audit import AuditQueries
from graph.clock import ClockMutations, ClockQueries
from graph.cohorts import CohortQueries
from graph.context import Info
from graph.errors import UserError, check_facts, error_codes, error_type, refusals_of
from graph.explanation import ExplanationFields, ExplanationQueries
from graph.federation import REPRESENTATION, Representation, keys_of, router_queries, subgraph_sdl
from graph.flags import FlagMutations, FlagQueries
from graph.forfeits import ForfeitMutations, ForfeitQueries
from graph.ids import InvalidId, Node, read_id
from graph.jobs import JobMutations, JobQueries
from graph.key_figures import KeyFigureQueries
from graph.keys import KeyMutations, KeyQueries
from graph.limits.prices import ListSize, Prices, declare, priced
from graph.lint import require_clean
from graph.member import Member, MemberByInput, MemberOrder, MembersFilter, find_member
from graph.moves import MoveQueries
from graph.notices import NoticeMutations, NoticeQueries
from graph.one_of import OneOfRule
from graph.operator import CoreMutations
from graph.pages import PAGE_MAX, Connection, Page, page_of_all, paged
from graph.people import PeopleMutations
from graph.permissions import EVERYONE, STAFF, caller_of, query
from graph.prediction import PredictionQueries
from graph.programme.drafts import DraftMutations, DraftQueries
from graph.programme.edits import EditMutations
from graph.programme.rolling_back import RollbackMutations
from graph.programme.simulation import SimulationMutations, SimulationQueries, SimulationSubscriptions
from graph.programme.versions import ProgrammeMutations, ProgrammeQueries
from graph.promises import PromiseQueries
from graph.remedies import RemedyMutations, RemedyQueries
from graph.resolving import resolve_directly
from graph.scalars import SCALARS
from graph.selections import selects
from graph.settings import Subgraph
from graph.subscription import Subscription
from graph.tier import Tier
from graph.tier_explanation import TierExplanationFields
from graph.tiers import TierMutations
from graph.tokens import Role
from graph.transaction import Hold, Transaction
from graph.trust import TrustMutations
from graph.validation import knowing
from graph.value import ValueQueries
from plugins.manager import Plugins

# Strawberry prints it without saying what it is, and every definition of ours is described.
OneOf.__strawberry_directive__.description = GraphQLOneOfDirective.description  # type: ignore[attr-defined]


@strawberry.type
class Viewer:
    """Who asks, by the token of the request."""

    role: str = strawberry.field(description="The token's role.")
    subject: str = strawberry.field(description="The token's name for the caller.")
    member: Member | None = strawberry.field(description="The member whose token it is; null for everybody else.")


@strawberry.type
class Query:
    """What can be asked."""

    @query(allow=EVERYONE)
    async def viewer(self, info: Info) -> Viewer:
        """Who asks."""
        caller, member = caller_of(info), None
        if caller.member_id is not None and selects(info, "member"):
            await Member.foresee(info, caller.member_id, "member")
            member = await Member.find(info, caller.member_id)
        return Viewer(role=caller.role, subject=caller.subject, member=member)

    @query(allow=STAFF | {Role.MEMBER})
    async def member(
        self, info: Info, by: Annotated[MemberByInput, strawberry.argument(description="How the member is named.")]
    ) -> Member | None:
        """One member; null when there is none, or none that this caller may see."""
        return await find_member(info, by)

    @query(allow=STAFF)
    @paged
    async def members(
        self,
        info: Info,
        page: Page,
        filter: Annotated[MembersFilter | None, strawberry.argument(description="Which ones; all if left out.")] = None,
        order_by: Annotated[
            MemberOrder, strawberry.argument(description="In which order.")
        ] = MemberOrder.RECORDED_AT_ASC,
    ) -> Connection[Member]:
        """The members; in the order in which they became known, unless asked for otherwise."""

        def node(_: str, glance: Any) -> Member:
            return Member.seen(glance, info.context.now)

        where = [] if filter is None else filter.where()
        return await page_of_all(info, MemberValue, node, page, order_by.order, where, glanced=True)

    @query(allow=EVERYONE)
    async def node(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The id of any node.")]
    ) -> Node | None:
        """Anything by its id; null when there is no such thing, or none that this caller may see."""
        return await _node(info, id)

    @priced(ListSize(assumed_size=PAGE_MAX, slicing_arguments=["ids"]))
    @query(allow=EVERYONE)
    async def nodes(
        self, info: Info, ids: Annotated[list[ID], strawberry.argument(description="The ids, at most 100.")]
    ) -> list[Node | None]:
        """Many things by their ids, in the order of the ids."""
        if len(ids) > PAGE_MAX:
            raise InvalidValue(field="ids", reason=f"at most {PAGE_MAX} at once")
        return [await _node(info, id) for id in ids]


async def _node(info: Info, id: str) -> Node | None:
    named, *parts = read_id(id) or ("",)
    assert isinstance(info.schema, LaurelSchema), "the only schema that there is"
    kind = info.schema.node_types.get(named)
    if kind is None:
        raise InvalidId(id=id[:100], expected="Node")
    found: Node | None = await kind.resolve_node(info, *parts)
    return found


@strawberry.type
class Mutation:
    """What can be done."""


_RULES: Final = tuple(map(knowing, (*specified_rules, MaybeNullValidationRule, OneOfRule)))


class LaurelSchema(strawberry.Schema):
    """A schema with what plugins add to its types. ``rules`` are what a document must meet to be executed."""

    def __init__(
        self, extra: Mapping[str, Iterable[type]], codes: type[Enum], without: Collection[str] = (), **options: Any
    ) -> None:
        # Before the base class: it converts the types in its constructor.
        self.sdl = ""
        """Of a subgraph what composition wants: printed once, as that takes half a second."""
        self._extra = {name: [f for kind in kinds for f in _fields(kind)] for name, kinds in extra.items()}
        self._codes = codes
        self._without = without
        super().__init__(**options)
        self.rules = _RULES
        resolve_directly(self._schema.type_map)
        self.node_types: dict[str, type[Node]] = {}
        self.entity_types: dict[str, type] = {}
        for named in self._schema.type_map.values():
            _describe(named)
            origin = _origin(named)
            if origin is None or not isinstance(named, GraphQLObjectType):
                continue
            if issubclass(origin, Node):
                self.node_types[named.name] = origin
            if keys_of(origin):
                self.entity_types[named.name] = origin

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        # Copies: building a schema changes its fields.
        fields = [copy.copy(f) for f in (*type_definition.fields, *self._extra.get(type_definition.name, ()))]
        names = Counter(self.config.name_converter.get_graphql_name(field) for field in fields)
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise TypeError(f"{type_definition.name}: {', '.join(twice)} is offered twice")
        if type_definition.name == "Query":
            fields = [field for field in fields if field.python_name not in self._without]
        for field in fields:
            if type_definition.is_input and field.default_value is None:
                field.default_value = UNSET
            if field.python_name == "code" and issubclass(type_definition.origin, UserError):
                field.type_annotation = StrawberryAnnotation(self._codes)
            if field.description is None and field.base_resolver is not None:
                field.description = inspect.getdoc(field.base_resolver.wrapped_func)
            for argument in field.arguments:
                if argument.default is None:
                    argument.default = UNSET
                if argument.python_name == "input" and argument.description is None:
                    argument.description = "What is asked for."
        return fields

    @property
    def core(self) -> GraphQLSchema:
        """The schema as graphql-core executes it."""
        return self._schema

    @cached_property
    def prices(self) -> Prices:
        """What its fields cost. Raises TypeError for a directive that cannot be meant."""
        return Prices(self._schema)


def build_schema(plugins: Plugins, subgraph: Subgraph | None = None) -> LaurelSchema:
    """The schema with what these plugins offer; by itself, or as a subgraph of a federated one.

    Raises TypeError when two of them offer one field, or one fact with two types, and SchemaInvalid when the schema
    does not keep what all of ours do.
    """
    schema = compose_schema(plugins)
    if subgraph is not None:
        # Which types are entities is known of the schema without the fields that ask for them.
        router = router_queries(schema.entity_types)
        schema = compose_schema(plugins, (router,), without=() if subgraph.owns_node else ("node", "nodes"))
        schema.sdl = subgraph_sdl(schema, schema.entity_types)
    require_clean(schema.core, lambda where: _whose(schema, plugins, where))
    return schema


def compose_schema(plugins: Plugins, more: tuple[type, ...] = (), without: Collection[str] = ()) -> LaurelSchema:
    """The schema, whatever there is to find about it. ``more`` is added to Query, and ``without`` left out of it."""
    refusals = refusals_of(plugins.refusals)
    schema = LaurelSchema(
        without=without,
        extra={
            "Query": (
                ProgrammeQueries,
                DraftQueries,
                SimulationQueries,
                AuditQueries,
                FlagQueries,
                ForfeitQueries,
                NoticeQueries,
                KeyQueries,
                JobQueries,
                PredictionQueries,
                ClockQueries,
                PromiseQueries,
                RemedyQueries,
                MoveQueries,
                ValueQueries,
                KeyFigureQueries,
                CohortQueries,
                ExplanationQueries,
                *plugins.queries,
                *more,
            ),
            "Mutation": (
                CoreMutations,
                TierMutations,
                TrustMutations,
                PeopleMutations,
                FlagMutations,
                ForfeitMutations,
                NoticeMutations,
                RemedyMutations,
                ProgrammeMutations,
                DraftMutations,
                EditMutations,
                RollbackMutations,
                SimulationMutations,
                KeyMutations,
                JobMutations,
                ClockMutations,
                *plugins.mutations,
            ),
            "Subscription": (SimulationSubscriptions, *plugins.subscriptions),
            "Member": plugins.member_fields,
            "Transaction": (ExplanationFields,),
            "TierChange": (TierExplanationFields,),
        },
        codes=error_codes(refusals),
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Member, Tier, Transaction, Hold, *(error_type(kind) for kind in refusals)],
        config=StrawberryConfig(scalar_map={**SCALARS, Representation: REPRESENTATION} if more else SCALARS),
    )
    declare(schema.core)
    check_facts(refusals, schema._schema.type_map)
    return schema


def print_sdl(plugins: Plugins, subgraph: Subgraph | None = None) -> str:
    """The schema in its definition language, the same on every machine; of a subgraph as composition wants it."""
    schema = build_schema(plugins, subgraph)
    return schema.as_str() + "\n" if subgraph is None else schema.sdl


def _whose(schema: LaurelSchema, plugins: Plugins, where: str) -> str:
    """Who offers what is there in the schema: a plugin, or the module that a type is written in."""
    if offered := plugins.offered_by.get(where.partition("(")[0]):
        return f"plugin {offered!r}"
    origin = _origin(schema.core.type_map[where.partition(".")[0]])
    return f"in {origin.__module__}" if origin is not None else "in the schema"


def _fields(kind: type) -> list[StrawberryField]:
    definition = get_object_definition(kind, strict=True)
    return definition.fields


def _origin(named: GraphQLNamedType) -> type | None:
    definition = named.extensions.get("strawberry-definition")
    # Connection[Hold] is described as Connection is.
    definition = getattr(definition, "concrete_of", None) or definition
    origin = getattr(definition, "origin", None) or getattr(definition, "wrapped_cls", None)
    return origin if isinstance(origin, type) else None


def _describe(named: GraphQLNamedType) -> None:
    """Let the docstring of a type be its description, where it has no other."""
    origin = _origin(named)
    if is_introspection_type(named) or origin is None or named.description is not None:
        return
    said = origin.__dict__.get("__doc__") or ""
    # A dataclass without a docstring is given its signature for one.
    if said and not said.startswith(f"{origin.__name__}("):
        named.description = inspect.cleandoc(said).replace("``", "`")
