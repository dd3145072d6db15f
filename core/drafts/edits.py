"""What operators do to a document, in their words: a rule, a group, a tier, a cap, a list; or any value at its path.

Each is a function of a ``Document`` and raises ``Misplaced`` when it names what is not there. Whether the document can
be published is another question, and answered by ``load_programme``: a draft may have problems between two edits.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from core.drafts.editing import Document, Misplaced, Path, Value
from core.drafts.refusals import EditInvalid
from core.errors import InvalidValue

Edit = Callable[[Document], None]

EDITS_MAX: Final = 100

_KEEP: Final = ("tiers", "keep")
_LADDER: Final = ("tiers", "ladder")


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with all of the edits made, one after another; with none of them when one is refused.

    Raises EditInvalid, InvalidValue when there are none or too many, ProgrammeInvalid when the text is no YAML at all.
    """
    if not 1 <= len(edits) <= EDITS_MAX:
        raise InvalidValue(field="edits", reason=f"1 to {EDITS_MAX} at once")
    document = Document(text)
    for number, edit in enumerate(edits, 1):
        try:
            edit(document)
        except Misplaced as misplaced:
            raise EditInvalid(edit=number, place=misplaced.place, reason=misplaced.reason) from None
    return document.text


# -- what activities earn ------------------------------------------------------------------------------


def groups_of(channel: str, unit: str) -> Path:
    """Where the groups of a channel's rule set are."""
    return ("channels", channel, "earn", unit, "groups")


def put_rule(document: Document, groups: Path, group: str, rule: Mapping[str, Any], position: int | None) -> None:
    """Put a rule into a group: in the place of the one with its id, or last; or with ``position`` for its number."""
    rules = (*groups, group, "rules")
    document.require(rules[:-1])
    _put(document, rules, rule, position)


def remove_rule(document: Document, groups: Path, group: str, rule: str) -> None:
    document.remove((*groups, group, "rules", rule))


def put_group(
    document: Document, groups: Path, group: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], position: int | None
) -> None:
    """Put a group into a rule set, or change one; its rules stay unless there are ``rules``."""
    document.require(groups[:2])
    id = str(group["id"])
    if not document.has((*groups, id)):
        document.insert(groups, {**group, "rules": list(rules)}, position)
        return
    for key in ("per", "add", "multiply"):
        if key in group:
            document.set((*groups, id, key), group[key])
        elif key != "per" and document.has((*groups, id, key)):
            document.remove((*groups, id, key))
    for rule in rules:
        put_rule(document, groups, id, rule, None)
    if position is not None:
        document.move((*groups, id), position)


def remove_group(document: Document, groups: Path, group: str) -> None:
    document.remove((*groups, group))


def set_caps(document: Document, channel: str, unit: str, caps: Mapping[str, int | None]) -> None:
    """Set each cap that is given, and remove it where it is None."""
    at = ("channels", channel, "earn", unit, "caps")
    document.require(at[:-1])
    _set_each(document, at, caps)


# -- tiers ---------------------------------------------------------------------------------------------


def put_tier(document: Document, tier: Mapping[str, Any], above: str | None) -> None:
    """Put a tier on the ladder: in the place of the one with its id, or on top; or right ``above`` another."""
    position = None
    if above is not None:
        document.require((*_LADDER, above))
        others = [id for id in document.members(_LADDER) if id != tier["id"]]
        if above not in others:
            raise Misplaced(document.place(_LADDER), f"tier {above!r} cannot stand above itself")
        position = others.index(above) + 1
    _put(document, _LADDER, tier, position)


def remove_tier(document: Document, tier: str, replaced_by: str | None) -> None:
    """Take a tier off the ladder; its members stand on ``replaced_by`` then, where that is said."""
    document.remove((*_LADDER, tier))
    if replaced_by is not None:
        document.require((*_LADDER, replaced_by))
        document.set(("tiers", "replaces", tier), replaced_by, make=True)


def set_keeping(document: Document, keep: Mapping[str, Value]) -> None:
    """Set what is given of how tiers are kept."""
    document.require(("tiers",))
    _set_each(document, _KEEP, keep)


# -- the programme -------------------------------------------------------------------------------------


def set_list(document: Document, name: str, words: Sequence[str]) -> None:
    document.set(("lists", name), list(words), make=True)


def change_list(document: Document, name: str, add: Sequence[str], remove: Sequence[str]) -> None:
    """Add words to a list, those that it has not, and remove others."""
    at = ("lists", name)
    document.require(at)
    for word in remove:
        document.remove((*at, word))
    known = set(document.members(at))
    for word in add:
        if word not in known:
            document.insert(at, word)
            known.add(word)


def set_expiry(document: Document, terms: Mapping[str, Value], unit: str | None, channel: str | None) -> None:
    """Say how long the programme's points last, or those of a unit, or what a channel gives of it."""
    if channel is not None:
        document.require(("channels", channel))
        at: Path = ("channels", channel, "expiry", unit or "points")
    else:
        at = ("expiry",) if unit is None else ("units", unit, "expiry")
    # What is not of the terms stays: reminders, and what becomes of what returns too late.
    kept = ("returned", "grace_days", "remind_days")
    if document.has(at):
        for key in document.members(at):
            if key not in kept and key not in terms:
                document.remove((*at, key))
    _set_each(document, at, terms)


def set_at(document: Document, path: Path, value: Value) -> None:
    """Put any value where a path leads; all but the last name must be there."""
    document.set(path, value)


def remove_at(document: Document, path: Path) -> None:
    document.remove(path)


def insert_at(document: Document, path: Path, value: Value, position: int | None) -> None:
    """Put any value into a list."""
    document.require(path[:-1])
    document.insert(path, value, position)


def set_or_remove(document: Document, path: Path, value: str | Decimal | None) -> None:
    """Put a value there, or take it away where it is None."""
    if value is not None:
        document.set(path, value, make=True)
    elif document.has(path):
        document.remove(path)


def _put(document: Document, at: Path, member: Mapping[str, Any], position: int | None) -> None:
    path = (*at, str(member["id"]))
    if not document.has(path):
        document.insert(at, member, position)
        return
    document.set(path, member)
    if position is not None:
        document.move(path, position)


def _set_each(document: Document, at: Path, values: Mapping[str, Value]) -> None:
    for key, value in values.items():
        if value is not None:
            document.set((*at, key), value, make=True)
        elif document.has((*at, key)):
            document.remove((*at, key))
