"""What a channel is made of: that it loads, its part of the schema, its settings. Nothing is called."""

from core.errors import ProgrammeInvalid
from graph.laurel import load_document
from graph.lint import Rule, lint
from graph.schema import compose_schema
from plugins import CONTRACT
from plugins.manager import load_plugins

from .readme import Fails, NotTried
from .subject import Subject, new_fields


async def loads_alone(subject: Subject) -> str:
    plugins = subject.plugins
    compose_schema(plugins)
    return f"contract {CONTRACT}, {len(plugins.mutations)} class(es) of mutations"


async def can_be_left_out(subject: Subject) -> str:
    without = load_plugins(offers=subject.others)
    load_document(without, subject.programme(None))
    compose_schema(without)
    compose_schema(load_plugins(offers=[subject.offer, *subject.others]))
    return f"{len(subject.others)} other plugins start without it, and with it"


async def is_described(subject: Subject) -> str:
    return _kept(subject, Rule.DESCRIBED)


async def is_spelled(subject: Subject) -> str:
    return _kept(subject, Rule.NAMED, Rule.DEPRECATIONS)


async def has_no_json(subject: Subject) -> str:
    return _kept(subject, Rule.SCALARS)


async def pages_its_lists(subject: Subject) -> str:
    return _kept(subject, Rule.CONNECTIONS)


async def mutations_have_one_shape(subject: Subject) -> str:
    mutations = new_fields(subject, "Mutation")
    if not mutations:
        raise NotTried("it has no mutations")
    _kept(subject, Rule.MUTATIONS)
    return ", ".join(mutations)


def _kept(subject: Subject, *rules: Rule) -> str:
    """What the lint finds about the schema with the channel, and not about the one without. Raises Fails."""
    known = set(lint(subject.bare))
    found = [finding for finding in lint(subject.schema) if finding.rule in rules and finding not in known]
    if found:
        raise Fails("; ".join(map(str, found[:10])))
    return f"{len(subject.schema.type_map) - len(subject.bare.type_map)} types of its own"


async def settings_are_checked(subject: Subject) -> str:
    if subject.name not in subject.plugins.settings:
        raise NotTried("it has no settings")
    load_document(subject.company, subject.programme(subject.section))
    try:
        load_document(subject.company, subject.programme({**subject.section, "no_such_key": 1}))
    except ProgrammeInvalid as invalid:
        return f"an unknown key is refused: {invalid.problems[0].message}"
    raise Fails("a key that it does not know is accepted in its section")
