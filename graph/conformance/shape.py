"""What a channel is made of: that it loads, its part of the schema, its settings. Nothing is called."""

import re
from typing import Final

from core.errors import ProgrammeInvalid
from core.wording.language import LANGUAGES
from core.wording.summary import summary
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


async def speaks(subject: Subject) -> str:
    """The section of its README is said to members, in English and in Chinese."""
    if subject.name not in subject.plugins.settings:
        raise NotTried("it has no section in the programme")
    programme = load_document(subject.company, subject.programme(subject.section))
    said = []
    for language in LANGUAGES:
        chapters = summary(programme, language).chapters
        texts = [each.text for chapter in chapters for each in chapter.sentences if each.channel == subject.name]
        if not texts:
            raise Fails(f"nothing is said of it in {_NAMES[language]}: ChannelSettings.says")
        if odd := [text for text in texts if _UNSAID.search(text)]:
            raise Fails(f"no sentence for members: {odd[0]}")
        if language == "zh" and (left := [text for text in texts if not _CHINESE.search(text)]):
            raise Fails(f"not in {_NAMES[language]}: {left[0]}")
        said.append(f"{len(texts)} in {_NAMES[language]}")
    return ", ".join(said)


_NAMES: Final = {"en": "English", "zh": "Chinese"}
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_UNSAID: Final = re.compile(r"\b(None|True|False)\b|Decimal\(|datetime\.|<[a-zA-Z]|[{}]")
"""What a value looks like that nobody has put into words."""


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
