"""How a language writes numbers, money, days and lists; Babel knows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from core.units import GROWTH, POINTS

Language = Literal["en", "zh"]
"""The languages that are spoken here: English and simplified Chinese."""

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

_UNITS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {POINTS: "points", GROWTH: "growth"},
    "zh": {POINTS: "积分", GROWTH: "成长值"},
}
_CHANNELS: Final[Mapping[str, Mapping[Language, str]]] = {
    "ledger": {"en": "Account", "zh": "账户"},
    "membership": {"en": "Membership", "zh": "会员资格"},
    "opening": {"en": "Opening balance", "zh": "期初余额"},
    "people": {"en": "Joined accounts", "zh": "账户合并"},
    "redemption": {"en": "Points spent", "zh": "使用积分"},
    "tiers": {"en": "Tier", "zh": "等级"},
    "trust": {"en": "Safety", "zh": "安全"},
}
"""Those of the core, and those without a section in the programme."""
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def unit_name(language: Language, unit: str) -> str:
    """What members call a unit; one of the programme's own has its own name."""
    return _UNITS[language].get(unit, spaced(unit))


def channel_names(language: Language, called: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """What each channel is called: the core's, and those of plugins, which say so in English and in Chinese."""
    own = {channel: (en if language == "en" else zh) or spaced(channel) for channel, (en, zh) in called.items()}
    return {channel: names[language] for channel, names in _CHANNELS.items()} | own


def spaced(identifier: str) -> str:
    """A name for machines, as people read it.

    >>> spaced("milk_powder")
    'milk powder'
    """
    return identifier.replace("_", " ").replace("-", " ")


def number(language: Language, value: Decimal | int) -> str:
    """A number, with all its digits.

    >>> number("en", Decimal("1234.50"))
    '1,234.50'
    """
    places = max(-int(Decimal(value).as_tuple().exponent), 0)
    return format_decimal(value, format="#,##0" + ("." + "0" * places if places else ""), locale=language)


def plain(value: Decimal) -> Decimal:
    """Without zeros at the end: 1.20 is 1.2, and 100 stays 100.

    >>> plain(Decimal("1.20")), plain(Decimal("1E+2"))
    (Decimal('1.2'), Decimal('100'))
    """
    value = value.normalize()
    return value.quantize(Decimal(1)) if int(value.as_tuple().exponent) > 0 else value


def money(language: Language, value: Decimal | int, currency: str) -> str:
    """Money in the currency's unit; cents only where there are any.

    >>> money("en", 50, "CNY"), money("zh", Decimal("9.5"), "CNY")
    ('CN¥50', '¥9.50')
    """
    value = Decimal(value)
    if value == value.to_integral_value():
        return format_currency(value, currency, "¤#,##0", locale=language, currency_digits=False)
    if -int(plain(value).as_tuple().exponent) > 2:
        return format_currency(value, currency, "¤#,##0.##########", locale=language, currency_digits=False)
    return format_currency(value, currency, locale=language)


def percent(language: Language, share: Decimal) -> str:
    """A share as so much of a hundred.

    >>> percent("en", Decimal("0.2"))
    '20%'
    """
    return f"{number(language, plain(share * 100))}%"


def moment(language: Language, at: datetime, zone: ZoneInfo) -> str:
    """An instant, to the minute, in the zone."""
    return format_datetime(at, "yyyy-MM-dd HH:mm", tzinfo=zone, locale=language)


def day(language: Language, on: date) -> str:
    """A day as it is written out: 1 June 2026, 2026年6月1日."""
    return format_date(on, "d MMMM y" if language == "en" else "y年M月d日", locale=language)


def weekday(language: Language, name: str) -> str:
    """A day of the week by its English name."""
    if name not in _WEEKDAYS:
        return name
    # The first of January 2024 was a Monday.
    return format_date(date(2024, 1, 1 + _WEEKDAYS.index(name)), "EEEE", locale=language)


def listed(language: Language, items: Sequence[str], style: Literal["standard", "or"] = "standard") -> str:
    """Several things, as the language lists them.

    >>> listed("en", ["tea", "coffee"], "or"), listed("zh", ["茶", "咖啡"])
    ('tea or coffee', '茶和咖啡')
    """
    if language == "en" or len(items) < 2:
        return format_list(list(items), style=style, locale=language)
    last = "和" if style == "standard" else "或"
    return next_to(next_to("、".join(items[:-1]), last), items[-1])


def ordinal(count: int) -> str:
    """As English counts: 1st, 2nd, 7th.

    >>> [ordinal(count) for count in (1, 2, 3, 7, 11, 22)]
    ['1st', '2nd', '3rd', '7th', '11th', '22nd']
    """
    ending = "th" if count % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


_SPACED: Final = frozenset("%¥$€£₽")


def next_to(said: str, following: str) -> str:
    """The two texts, with a space where a Chinese character meets a Latin one.

    >>> next_to("每", "12 个月"), next_to("Gold", "会员"), next_to("金卡", "会员")
    ('每 12 个月', 'Gold 会员', '金卡会员')
    """
    if not said or not following:
        return said + following
    left, right = said[-1], following[0]
    meets = (_is_chinese(left) and _is_latin(right)) or (_is_latin(left) and _is_chinese(right))
    return f"{said} {following}" if meets else said + following


def _is_chinese(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


def _is_latin(char: str) -> bool:
    return (char.isascii() and char.isalnum()) or char in _SPACED
