"""What is said to people in their language: one sentence a key, with names for what is put in.

``say`` is the one way to a sentence. Dates, numbers and units are written as the language writes them, days in the
programme's time zone.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final, cast
from zoneinfo import ZoneInfo

import strawberry
from babel.dates import format_date

from core.wording import language
from core.wording.language import Language


@strawberry.enum
class Locale(Enum):
    """A language in which people are told something."""

    EN = strawberry.enum_value("en", description="English.")
    ZH = strawberry.enum_value("zh", description="Simplified Chinese, 简体中文.")

    @property
    def language(self) -> Language:
        """Its ISO 639 code."""
        return cast(Language, self.value)


PHRASES: Final[Mapping[str, Mapping[Locale, str]]] = {
    "done": {
        Locale.EN: "{channel}.{kind} took effect on {at} and was judged by version {version} of the programme.",
        Locale.ZH: "{channel}.{kind} 于 {at} 生效，按规则第 {version} 版计算。",
    },
    "refused": {
        Locale.EN: "{channel}.{kind} was refused on {at}, and nothing was changed: {reason}.",
        Locale.ZH: "{channel}.{kind} 于 {at} 被拒绝，未作任何改动：{reason}。",
    },
    "nothing": {
        Locale.EN: "No rule gives anything for it.",
        Locale.ZH: "没有规则为此发放任何奖励。",
    },
    # what was awarded
    "award": {
        Locale.EN: "{of} gave {given} {unit}.",
        Locale.ZH: "{of} 发放 {given} {unit}。",
    },
    "closed": {
        Locale.EN: "{of} was not open then.",
        Locale.ZH: "{of} 当时未开放。",
    },
    "less": {
        Locale.EN: "Of {points} {unit} only {given} could be given, as no more was left of the budget.",
        Locale.ZH: "应得 {points} {unit}，因预算不足实得 {given}。",
    },
    "adds": {
        Locale.EN: "{group} adds: {before} becomes {after}.",
        Locale.ZH: "{group} 累加：{before} 变为 {after}。",
    },
    "multiplies": {
        Locale.EN: "{group} multiplies: {before} becomes {after}.",
        Locale.ZH: "{group} 相乘：{before} 变为 {after}。",
    },
    "rounding": {
        Locale.EN: "{exact} is rounded {how} to {whole}.",
        Locale.ZH: "{exact} {how}得 {whole}。",
    },
    "cap": {
        Locale.EN: "The limit {cap} took {cut} of it.",
        Locale.ZH: "上限（{cap}）扣减 {cut}。",
    },
    "how.floor": {Locale.EN: "down", Locale.ZH: "向下取整"},
    "how.ceil": {Locale.EN: "up", Locale.ZH: "向上取整"},
    "how.half_up": {Locale.EN: "half up", Locale.ZH: "四舍五入"},
    "how.half_even": {Locale.EN: "half to even", Locale.ZH: "四舍六入五成双"},
    "cap.order": {Locale.EN: "for one order", Locale.ZH: "单笔"},
    "cap.day": {Locale.EN: "for a day", Locale.ZH: "每日"},
    "cap.month": {Locale.EN: "for a month", Locale.ZH: "每月"},
    "cap.lifetime": {Locale.EN: "for a lifetime", Locale.ZH: "终身"},
    "cap.programme": {Locale.EN: "for all members together", Locale.ZH: "全体会员合计"},
    # what became of a rule
    "rule.applied": {
        Locale.EN: "{rule} counted with {value}{line}.",
        Locale.ZH: "{rule} 生效，值为 {value}{line}。",
    },
    "rule.condition_not_met": {
        Locale.EN: "{rule} did not count{line}: {when} does not hold{seen}.",
        Locale.ZH: "{rule} 未生效{line}：不满足 {when}{seen}。",
    },
    "rule.not_yet_valid": {
        Locale.EN: "{rule} did not count{line}: it holds from {since} on.",
        Locale.ZH: "{rule} 未生效{line}：自 {since} 起有效。",
    },
    "rule.no_longer_valid": {
        Locale.EN: "{rule} did not count{line}: it held until {until}.",
        Locale.ZH: "{rule} 未生效{line}：有效期至 {until}。",
    },
    "rule.another_came_first": {
        Locale.EN: "{rule} did not count{line}: an earlier rule of the group did.",
        Locale.ZH: "{rule} 未生效{line}：同组中靠前的规则已生效。",
    },
    "rule.another_was_better": {
        Locale.EN: "{rule} did not count{line}: another rule of the group was worth more.",
        Locale.ZH: "{rule} 未生效{line}：同组中另有更优的规则。",
    },
    "line": {Locale.EN: " for line {number}", Locale.ZH: "（第 {number} 行）"},
    "seen": {Locale.EN: ", as {facts}", Locale.ZH: "，因为 {facts}"},
    # what the books say
    "entry.issuance": {Locale.EN: "{amount} {unit} were earned.", Locale.ZH: "获得 {amount} {unit}。"},
    "entry.redemption": {Locale.EN: "{amount} {unit} were spent.", Locale.ZH: "使用 {amount} {unit}。"},
    "entry.redemption.back": {Locale.EN: "{amount} {unit} came back.", Locale.ZH: "退回 {amount} {unit}。"},
    "entry.breakage": {Locale.EN: "{amount} {unit} were lost.", Locale.ZH: "{amount} {unit} 失效。"},
    "entry.breakage.back": {Locale.EN: "{amount} {unit} live again.", Locale.ZH: "恢复 {amount} {unit}。"},
    "entry.claw_back": {Locale.EN: "{amount} {unit} were taken back.", Locale.ZH: "收回 {amount} {unit}。"},
    "entry.claw_back.back": {Locale.EN: "{amount} {unit} were given back.", Locale.ZH: "返还 {amount} {unit}。"},
    "entry.adjustment": {Locale.EN: "{amount} {unit} were put right.", Locale.ZH: "人工调整 {amount} {unit}。"},
    "entry.transfer": {Locale.EN: "{amount} {unit} went to another member.", Locale.ZH: "转出 {amount} {unit}。"},
    "entry.transfer.back": {
        Locale.EN: "{amount} {unit} came from another member.",
        Locale.ZH: "转入 {amount} {unit}。",
    },
    "entry.opening": {
        Locale.EN: "{amount} {unit} were brought over from another system.",
        Locale.ZH: "从其他系统转入 {amount} {unit}。",
    },
    "entry.held": {Locale.EN: "{amount} {unit} were set aside.", Locale.ZH: "冻结 {amount} {unit}。"},
    "entry.held.back": {Locale.EN: "{amount} {unit} are no longer set aside.", Locale.ZH: "解冻 {amount} {unit}。"},
    "move": {
        Locale.EN: "{amount} of what was earned on {earned}{until}.",
        Locale.ZH: "其中 {amount} 来自 {earned} 获得的批次{until}。",
    },
    "move.debt": {Locale.EN: "{amount} of a debt.", Locale.ZH: "其中 {amount} 为欠款。"},
    "until": {Locale.EN: ", to be used before {day}", Locale.ZH: "（{day} 前有效）"},
    # why a tier changed
    "tier.enrolment": {
        Locale.EN: "The membership began on {at}, and everyone starts as {tier}.",
        Locale.ZH: "会员资格始于 {at}，初始等级为 {tier}。",
    },
    "tier.earned": {
        Locale.EN: "{tier} was reached on {at}, by version {version} of the programme: what it asks for was met.",
        Locale.ZH: "{at} 升至 {tier}：已满足规则第 {version} 版的条件。",
    },
    "tier.review": {
        Locale.EN: "{former} was judged on {at}, by version {version} of the programme, and not kept: {tier} followed.",
        Locale.ZH: "{at} 按规则第 {version} 版评定，未能保住 {former}，降至 {tier}。",
    },
    "tier.taken_back": {
        Locale.EN: "What {former} had been reached or kept with was taken back on {at}: by version {version} of the "
        "programme, {tier} followed.",
        Locale.ZH: "{at} 升至或保住 {former} 所依据的消费或积分被收回，按规则第 {version} 版降至 {tier}。",
    },
    "tier.operator": {
        Locale.EN: "An operator set {tier} on {at}, whatever the criteria: {reason}.",
        Locale.ZH: "{at} 由运营人员设为 {tier}，不论条件是否满足：{reason}。",
    },
    "tier.channel": {
        Locale.EN: "{channel}.{kind} brought {tier} on {at}, whatever the criteria.",
        Locale.ZH: "{at} 由 {channel}.{kind} 设为 {tier}，不论条件是否满足。",
    },
    "tier.merger": {
        Locale.EN: "{tier} came on {at} from a membership that was merged into this one.",
        Locale.ZH: "{at} 因另一会员资格并入而升至 {tier}。",
    },
    "tier.merger.back": {
        Locale.EN: "{former} had come from a merged membership; that was undone on {at}, and {tier} followed.",
        Locale.ZH: "{former} 来自并入的会员资格，{at} 该合并被撤销，回到 {tier}。",
    },
    "tier.programme": {
        Locale.EN: "Version {version} of the programme has no tier {former}: {tier} took its place on {at}.",
        Locale.ZH: "规则第 {version} 版不再设 {former}，{at} 改为 {tier}。",
    },
    "tier.not_kept": {
        Locale.EN: "The figures of that time were not kept.",
        Locale.ZH: "当时的数据未予保存。",
    },
    "judged": {
        Locale.EN: "{tier} asks for {mode} of these: {met}.",
        Locale.ZH: "{tier} 须满足以下{mode}条件：{met}。",
    },
    "judged.keeping": {
        Locale.EN: "To be kept, {tier} asks for {mode} of these: {met}.",
        Locale.ZH: "{tier} 保级须满足以下{mode}条件：{met}。",
    },
    "mode.all": {Locale.EN: "all", Locale.ZH: "全部"},
    "mode.any": {Locale.EN: "any", Locale.ZH: "任一"},
    "met": {Locale.EN: "met", Locale.ZH: "已满足"},
    "not_met": {Locale.EN: "not met", Locale.ZH: "未满足"},
    "criterion": {
        Locale.EN: "{fact} {window} came to {current}, and {required} is asked for: {met}.",
        Locale.ZH: "{fact}（{window}）为 {current}，要求 {required}：{met}。",
    },
    "window.life": {Locale.EN: "until {until}", Locale.ZH: "截至 {until}"},
    "window.since": {Locale.EN: "from {since} to {until}", Locale.ZH: "{since} 至 {until}"},
}

_FACTS: Final[Mapping[str, str]] = {
    "points_earned": "获得积分",
    "growth_earned": "获得成长值",
    "spend": "消费金额",
    "orders": "订单数",
    "average_order": "平均订单金额",
}


def say(locale: Locale, key: str, **parts: str) -> str:
    """A sentence."""
    return PHRASES[key][locale].format(**parts)


def unit_name(locale: Locale, unit: str) -> str:
    """What members call a unit; one of the programme's own has its own name."""
    return language.unit_name(locale.language, unit)


def fact_name(locale: Locale, fact: str) -> str:
    """What a fact that tiers ask for is called; one of a channel's has its own name."""
    return _FACTS.get(fact, fact) if locale == Locale.ZH else fact


def whole(locale: Locale, value: Decimal | int) -> str:
    """A number, with all its digits.

    >>> whole(Locale.EN, Decimal("1234.50"))
    '1,234.50'
    """
    return language.number(locale.language, value)


def moment(locale: Locale, at: datetime, zone: ZoneInfo) -> str:
    """An instant, to the minute, in the zone."""
    return language.moment(locale.language, at, zone)


def day(locale: Locale, at: datetime, zone: ZoneInfo) -> str:
    """The zone's day of an instant."""
    return format_date(at.astimezone(zone).date(), "yyyy-MM-dd", locale=locale.language)
