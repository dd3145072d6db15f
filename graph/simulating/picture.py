"""The picture of a simulation: what was issued each month under both, and who moves between tiers."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from core.units import POINTS

_WIDTH: Final = 720
_BARS: Final = 200
_BAR_MAX: Final = 40
_MONTH: Final = 48
"""The room that a month's name needs."""


@cache
def _template() -> Template:
    loader = PackageLoader("graph.simulating", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("picture.svg.jinja")


def picture(result: Mapping[str, Any]) -> str:
    """The picture as SVG. Its colours follow the reader's, dark or light; its title and description can be read out."""
    today, draft = result["today"]["months"], result["draft"]["months"]
    months = [
        {"month": month, "today": today[month].get(POINTS, 0), "draft": draft.get(month, {}).get(POINTS, 0)}
        for month in today
    ]
    most = max((max(each["today"], each["draft"]) for each in months), default=0) or 1
    step = (_WIDTH - 80) // max(len(months), 1)
    bar = min(max(step // 2 - 3, 1), _BAR_MAX)
    named = -(-_MONTH // max(step, 1))
    for place, each in enumerate(months):
        each["x"] = 60 + place * step + (step - 2 * bar) // 2
        each["named"] = place % named == 0
        each["today_height"], each["draft_height"] = (_BARS * max(each[run], 0) // most for run in ("today", "draft"))
    ladder = result["ladder"]
    moves = {(each["today"], each["draft"]): each["members"] for each in result["migration"]}
    rows = [
        {"tier": one, "cells": [{"tier": other, "members": moves.get((one, other), 0)} for other in ladder]}
        for one in ladder
    ]
    column = min(110, (_WIDTH - 180) // max(len(ladder), 1))
    return _template().render(
        width=_WIDTH,
        height=330 + (60 + 26 * len(ladder) if ladder else 0),
        bars=_BARS,
        bar=bar,
        most=most,
        months=months,
        ladder=ladder,
        rows=rows,
        column=column,
        since=result["since"][:10],
        until=result["until"][:10],
        total_today=sum(each["today"] for each in months),
        total_draft=sum(each["draft"] for each in months),
        worse=result["members"]["worse"],
        better=result["members"]["better"],
        same=result["members"]["same"],
    )
