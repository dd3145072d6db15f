"""Who may do what, as one table made of the schema: every root field and every field of a member, by caller.

``docs/access-table.md`` is this table of the built-in plugins, and a test asks every root field as every caller.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

from graphql import GraphQLInputObjectType, GraphQLNamedType, GraphQLObjectType, get_named_type
from strawberry.types.field import StrawberryField

from graph.permissions import STAFF
from graph.schema import LaurelSchema
from graph.tokens import Role

CALLERS: Final = ("nobody", "the member", "another member", "service", "partner", "operator", "analyst", "admin")
"""``another member``: whoever asks for or acts upon what belongs to somebody else."""

YES: Final = "yes"
NO: Final = "no"

_ROOTS: Final = ("Query", "Mutation", "Subscription")
_MEMBER: Final = "Member"
_ABOUT_A_MEMBER: Final = frozenset({"MemberByInput", "ID"})

_INTRODUCTION: Final = """# Who may do what

Made from the schema by `laurel access` and compared with it by a test; [access.md](access.md) says what the roles are.
The member is whose token it is. Another member is one who names somebody else, or what belongs to somebody else, and
is answered as if there were no such thing. A partner's token must name the channel or the capability that stands in
the column. Fields of other types are for whoever may ask for the field above them, unless their description says
otherwise.
"""


class Access(NamedTuple):
    """Who may ask for one field. A partner's token must name what it ``needs``, if anything."""

    type_name: str
    name: str
    roles: frozenset[Role]
    needs: tuple[str, ...]
    is_about_a_member: bool

    def verdict(self, caller: str) -> str:
        """What the table says of a caller."""
        role = {"nobody": None, "the member": Role.MEMBER, "another member": Role.MEMBER}.get(caller, caller)
        if role not in self.roles:
            return NO
        if caller == "another member" and self.is_about_a_member:
            return NO
        if role == Role.PARTNER and self.needs:
            return " or ".join(f"`{name}`" for name in self.needs)
        return YES


def access_of(schema: LaurelSchema, offered_by: Mapping[str, str]) -> Iterator[Access]:
    """Who may ask for each root field and each field of ``Member``, by name.

    ``offered_by`` says which plugin has a field. Raises TypeError if one does not say whom it is for.
    """
    for type_name in (*_ROOTS, _MEMBER):
        found = schema._schema.get_type(type_name)
        if not isinstance(found, GraphQLObjectType):
            continue
        for name, field in sorted(found.fields.items()):
            label = f"{type_name}.{name}"
            definition = field.extensions.get("strawberry-definition")
            declared: Any = definition.metadata if isinstance(definition, StrawberryField) else {}
            roles = declared.get("allow")
            if roles is None and type_name == _MEMBER:
                roles = STAFF | {Role.MEMBER, Role.ADMIN}
            if roles is None and not name.startswith("_"):
                raise TypeError(f"{label} does not say whom it is for: declare it with allow=")
            plugin, capability = offered_by.get(label), declared.get("capability")
            needs = () if plugin is None else (plugin, f"{plugin}.{capability}") if capability else (plugin,)
            about = type_name == _MEMBER or any(
                _names_a_member(argument.type, set()) for argument in field.args.values()
            )
            yield Access(type_name, name, roles or frozenset(), needs, about and not declared.get("public"))


def _names_a_member(of: Any, seen: set[str]) -> bool:
    """Whether a value of this type can name a member, or something that may be a member's."""
    named: GraphQLNamedType = get_named_type(of)
    if named.name in _ABOUT_A_MEMBER:
        return True
    if named.name in seen or not isinstance(named, GraphQLInputObjectType):
        return False
    seen.add(named.name)
    return any(_names_a_member(field.type, seen) for field in named.fields.values())


def access_table(schema: LaurelSchema, offered_by: Mapping[str, str]) -> str:
    """The table as a page of documentation."""
    lines = [_INTRODUCTION.rstrip()]
    for type_name, group in groupby(access_of(schema, offered_by), key=lambda access: access.type_name):
        lines += ["", f"## {type_name}", "", _row("field", *CALLERS), _row(*["---"] * (1 + len(CALLERS)))]
        for access in group:
            lines.append(_row(f"`{access.name}`", *(access.verdict(caller) for caller in CALLERS)))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
