"""Every root field is asked as every caller, and answered as the table of ``docs/access-table.md`` says."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import strawberry
import yaml
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
)

from graph.access import CALLERS, NO, YES, Access, access_of, access_table
from graph.ids import global_id, read_id
from graph.laurel import tables
from graph.schema import LaurelSchema, build_schema
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, load_plugins
from tests.databases import SqliteFolder
from tests.graph.test_statements import statements

PLUGINS: Plugins = load_plugins()
SCHEMA: LaurelSchema = build_schema(PLUGINS)
ACCESS = list(access_of(SCHEMA, PLUGINS.offered_by))
TABLE = Path(__file__).parents[2] / "docs" / "access-table.md"
EXAMPLES = [Path(__file__).parents[2] / "examples" / "programmes" / f"{name}.yaml" for name in ("ecosystem", "mall")]
UNKNOWN = "01a20385-4ce9-71a6-bfc3-cf13caec3862"
SCALARS: dict[str, Any] = {
    "String": "some text",
    "Int": 1,
    "Points": 1,
    "Boolean": True,
    "Decimal": "1.00",
    "CurrencyCode": "CNY",
    "Instant": "2026-06-01T12:00:00Z",
    "Day": "2026-06-01",
}
# What an argument of that name is the id of, where the name is not the type's in small letters.
TYPES = {
    "id": "Member",
    "ids": "Member",
    "order": "RewardOrder",
    "key": "ApiKey",
    "draw": "LotteryDraw",
    "stake": "InvestmentStake",
    "endpoint": "WebhookEndpoint",
}


def test_the_table_is_what_the_schema_says() -> None:
    assert TABLE.read_text() == access_table(SCHEMA, PLUGINS.offered_by), (
        "print it again: laurel access > docs/access-table.md"
    )


def test_a_field_that_does_not_say_whom_it_is_for_is_an_error() -> None:
    @strawberry.type
    class Loose:
        """Offers a field without a permission."""

        @strawberry.field
        def anything(self) -> int:
            """Whatever it is."""
            return 1

    plugins = Plugins(names=("loose",), offered_by={"Query.anything": "loose"}, queries=(Loose,))

    with pytest.raises(TypeError, match=r"Query\.anything does not say whom it is for"):
        list(access_of(build_schema(plugins), plugins.offered_by))


# A ticket's answer says why its member is compensated.
REASON = {"answerTicket": "text"}


def test_what_only_operators_do_to_a_members_points_takes_a_reason() -> None:
    mutations = SCHEMA._schema.mutation_type
    assert mutations is not None
    theirs = [a.name for a in ACCESS if a.type_name == "Mutation" and a.roles <= {Role.OPERATOR, Role.ADMIN}]
    without = []
    for name in theirs:
        field = mutations.fields[name]
        given, payload = get_named_type(field.args["input"].type), get_named_type(field.type)
        assert isinstance(given, GraphQLInputObjectType)
        assert isinstance(payload, GraphQLObjectType)
        if "transaction" in payload.fields and REASON.get(name, "reason") not in given.fields:
            without.append(name)

    assert "adjustPoints" in theirs
    assert without == []


# -- asking -------------------------------------------------------------------------------------------


class Asked:
    """Values for the arguments of a field, about the things of one member."""

    def __init__(self, member: str, transaction: str) -> None:
        self._member, self._transaction = member, transaction

    def variables(self, field: GraphQLField) -> dict[str, Any]:
        return {name: self._of(name, argument.type) for name, argument in field.args.items() if self._wanted(argument)}

    def _wanted(self, given: Any) -> bool:
        return isinstance(given.type, GraphQLNonNull) or get_named_type(given.type).name == "MemberByInput"

    def _of(self, name: str, kind: Any) -> Any:
        match kind:
            case GraphQLNonNull():
                return self._of(name, kind.of_type)
            case GraphQLList():
                return [self._of(name, kind.of_type)]
            case GraphQLEnumType():
                return next(iter(kind.values))
            case GraphQLInputObjectType(name="MemberByInput"):
                return {"id": global_id("Member", self._member)}
            case GraphQLInputObjectType() if kind.extensions["strawberry-definition"].is_one_of:
                first, given = next(iter(kind.fields.items()))
                return {first: self._of(first, given.type)}
            case GraphQLInputObjectType():
                fields: dict[str, GraphQLInputField] = kind.fields
                return {field: self._of(field, given.type) for field, given in fields.items() if self._wanted(given)}
            case GraphQLScalarType(name="ID"):
                return self._id(name)
            case GraphQLScalarType():
                return SCALARS[kind.name]
        raise AssertionError(f"no value for {kind}")

    def _id(self, name: str) -> str:
        """The id of something of the member's, of the type that is wanted there."""
        kind = TYPES.get(name, name[:1].upper() + name[1:])
        parts = {"Member": [self._member], "Hold": [self._member, "points", "1"]}
        return global_id(kind, *parts.get(kind, [self._member, self._transaction]))


def document(access: Access) -> tuple[str, GraphQLField]:
    """The field with all its required arguments as variables, and the least that can be selected of it."""
    root = SCHEMA._schema.get_type(access.type_name)
    assert isinstance(root, GraphQLObjectType)
    field = root.fields[access.name]
    declared, passed, selected = parts_of_document(field)
    return f"{access.type_name.lower()} Asked{declared} {{ {access.name}{passed} {selected} }}", field


def parts_of_document(field: GraphQLField) -> tuple[str, str, str]:
    """The variables of a field, its arguments, and the least that can be selected of it."""
    arguments = [(name, argument.type) for name, argument in field.args.items() if Asked("", "")._wanted(argument)]
    declared = f"({', '.join(f'${name}: {kind}' for name, kind in arguments)})" if arguments else ""
    passed = f"({', '.join(f'{name}: ${name}' for name, _ in arguments)})" if arguments else ""
    named = get_named_type(field.type)
    selected = ""
    if isinstance(named, GraphQLObjectType) and "errors" in named.fields:
        selected = "{ errors { code } }"
    elif isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
        selected = "{ __typename }"
    return declared, passed, selected


async def answer(shop: Shop, access: Access, caller: str, asked: Asked, token: str | None) -> dict[str, Any]:
    text, field = document(access)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if access.type_name == "Subscription":
        headers["Accept"] = "text/event-stream"
    body = {"query": text, "variables": asked.variables(field)}
    response = await shop.client.post("/graphql", json=body, headers=headers)
    if access.type_name == "Subscription":
        return {"errors": [{"extensions": {"code": code}} for code in CODES if code in response.text]}
    answered: dict[str, Any] = response.json()
    return answered


CODES = ("FORBIDDEN", "UNAUTHENTICATED")


def codes(answered: dict[str, Any]) -> list[str]:
    found = [error["extensions"]["code"] for error in answered.get("errors", ())]
    for value in (answered.get("data") or {}).values():
        found += [error["code"] for error in (value.get("errors", ()) if isinstance(value, dict) else ())]
    return found


def all_channels() -> str:
    """A programme in which nearly everything is offered."""
    ecosystem, mall = (yaml.safe_load(path.read_text()) for path in EXAMPLES)
    return yaml.safe_dump({**ecosystem, "channels": {**mall["channels"], **ecosystem["channels"]}})


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    url = sqlite_folder.migrated(tables(PLUGINS))
    # Nobody asks more within a minute than a stranger may: every field there is.
    async with open_shop(url, all_channels(), plugins=PLUGINS, variables={"LAUREL_RATES": "nobody=none"}) as shop:
        yield shop
    sqlite_folder.done(url)


async def test_every_root_field_answers_each_caller_as_the_table_says(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    bert = await shop.enrol("bert")
    given = await shop.give(anna, 100, "g1")
    raw, transaction = read_id(given)[1:]
    asked = Asked(raw, transaction)
    tokens = {role.value: shop.token(role) for role in Role if role is not Role.MEMBER}
    tokens |= {"the member": shop.token(Role.MEMBER, raw), "another member": shop.token(Role.MEMBER, read_id(bert)[1])}

    wrong = []
    for access in ACCESS:
        for caller in CALLERS:
            verdict = access.verdict(caller)
            endless = access.type_name == "Subscription" and verdict != NO
            if access.type_name == "Member" or endless or (caller == "another member" and access.is_about_a_member):
                continue
            found = codes(await answer(shop, access, caller, asked, tokens.get(caller)))
            unfit = {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "INTERNAL_SERVER_ERROR", "RATE_LIMITED"} & {*found}
            if unfit or any(code in CODES for code in found) != (verdict == NO):
                wrong.append((access.type_name, access.name, caller, verdict, found))

    assert wrong == []


async def test_every_field_of_a_member_answers_each_caller_as_the_table_says(shop: Shop) -> None:
    anna, bert = await shop.enrol("anna"), await shop.enrol("bert")
    raw, transaction = read_id(await shop.give(anna, 100, "g1"))[1:]
    asked = Asked(raw, transaction)
    tokens = {role.value: shop.token(role) for role in Role if role is not Role.MEMBER}
    tokens |= {"the member": shop.token(Role.MEMBER, raw), "another member": shop.token(Role.MEMBER, read_id(bert)[1])}
    member = SCHEMA._schema.get_type("Member")
    assert isinstance(member, GraphQLObjectType)
    fields = [access for access in ACCESS if access.type_name == "Member"]

    wrong = []
    for access in fields:
        field = member.fields[access.name]
        declared, passed, selected = parts_of_document(field)
        text = f'query Asked{declared} {{ member(by: {{id: "{anna}"}}) {{ it: {access.name}{passed} {selected} }} }}'
        for caller in CALLERS:
            headers = {"Authorization": f"Bearer {tokens[caller]}"} if caller in tokens else {}
            body = {"query": text, "variables": asked.variables(field)}
            answered = (await shop.client.post("/graphql", json=body, headers=headers)).json()
            found, told = codes(answered), (answered.get("data") or {}).get("member") is not None
            is_told = told and not any(code in CODES for code in found)
            if is_told != (access.verdict(caller) != NO) or set(found) - {*CODES}:
                wrong.append((access.name, caller, access.verdict(caller), answered))

    assert {access.name for access in fields} == {name for name in member.fields if not name.startswith("_")}
    assert wrong == []


async def test_a_partner_without_the_channel_reaches_nothing_of_it(shop: Shop) -> None:
    asked, token = Asked(UNKNOWN, UNKNOWN), shop.token(Role.PARTNER, channels=[])
    reached = []
    for access in ACCESS:
        if access.type_name in ("Query", "Mutation") and access.verdict("partner") not in (YES, NO):
            found = codes(await answer(shop, access, "partner", asked, token))
            reached += [] if found == ["FORBIDDEN"] else [access.name]

    assert reached == []


async def test_a_member_is_answered_about_another_as_about_nobody(shop: Shop) -> None:
    anna, bert = await shop.enrol("anna"), await shop.enrol("bert")
    raw, transaction = read_id(await shop.give(anna, 100, "g1"))[1:]
    token = shop.token(Role.MEMBER, read_id(bert)[1])
    told = []
    for access in ACCESS:
        if access.type_name not in ("Query", "Mutation") or not access.is_about_a_member:
            continue
        if access.verdict("the member") == NO:
            continue
        answers, asked_of_database = [], []
        for asked in (Asked(raw, transaction), Asked(UNKNOWN, UNKNOWN)):
            async with statements() as seen:
                answers.append(await answer(shop, access, "another member", asked, token))
            asked_of_database.append(list(seen))
        annas, nobodys = answers
        value = (annas["data"] or {}).get(access.name)
        refused = value is None or value == [None] or value.get("errors")
        assert len(asked_of_database[0]) == len(asked_of_database[1]), access.name
        if codes(annas) != codes(nobodys) or annas["data"] != nobodys["data"] or not refused:
            told.append((access.name, annas, nobodys))
        # What is asked must be what is wanted there, or the answer says nothing.
        assert "INVALID_ID" not in codes(annas), access.name

    assert told == []
