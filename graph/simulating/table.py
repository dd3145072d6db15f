"""The result as a table to read in a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_ROWS: Final = (
    ("issued", "issued"),
    ("redeemed", "redeemed"),
    ("given back", "given_back"),
    ("clawed back", "clawed_back"),
    ("expired", "expired"),
    ("adjusted", "adjusted"),
    ("outstanding", "outstanding"),
    ("owed", "debt"),
    ("liability", "liability"),
)


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Line by line."""
    today, draft = result["today"], result["draft"]
    yield f"{result['since']} until {result['until']}"
    for unit in result["units"]:
        yield ""
        yield f"{unit:<24}{'today':>18}{'draft':>18}{'difference':>18}"
        for label, name in _ROWS:
            one, other = (run["units"].get(unit, {}).get(name) for run in (today, draft))
            if one or other:
                yield f"  {label:<22}{_said(one):>18}{_said(other):>18}{_difference(one, other):>18}"
    yield ""
    yield f"{'revenue':<24}{_said(today['revenue']):>18}{_said(draft['revenue']):>18}"
    yield f"{'cost of redemption':<24}{_said(today['cost']):>18}{_said(draft['cost']):>18}"
    yield f"{'share of revenue':<24}{_said(today['share']):>18}{_said(draft['share']):>18}"
    yield from _tiers(result)
    yield from _rules(result)
    members = result["members"]
    yield ""
    yield f"{members['worse']:,} members are worse off, {members['better']:,} better, {members['same']:,} as before"
    for title, name in (("hurt most", "hurt"), ("helped most", "helped")):
        for each in members[name]:
            points, tier = each["points"], each["tier"]
            yield (
                f"  {title:<12} {each['external_id']:<24} {points['today']:>12,} -> {points['draft']:,}"
                f"  {tier['today']} -> {tier['draft']}"
            )
    yield from _how(result)


def _tiers(result: Mapping[str, Any]) -> Iterator[str]:
    ladder = result["ladder"]
    if not ladder:
        return
    counts = {(each["today"], each["draft"]): each["members"] for each in result["migration"]}
    yield ""
    yield f"{'tier today':<24}{''.join(f'{tier:>14}' for tier in ladder)}  under the draft"
    for one in ladder:
        yield f"  {one:<22}{''.join(f'{counts.get((one, other), 0):>14,}' for other in ladder)}"


def _rules(result: Mapping[str, Any]) -> Iterator[str]:
    runs = [
        {(rule["channel"], rule["unit"], rule["group"], rule["rule"]): rule for rule in result[run]["rules"]}
        for run in ("today", "draft")
    ]
    places = sorted({*runs[0], *runs[1]})
    if places:
        yield ""
        yield f"{'rule':<44}{'times':>10}{'gave':>18}{'times':>10}{'gave':>18}"
    for place in places:
        cells = ""
        for run in runs:
            rule = run.get(place)
            cells += f"{rule['times']:>10,}{rule['gave']:>18}" if rule else f"{'-':>10}{'-':>18}"
        channel, unit, group, name = place
        yield f"  {f'{channel}/{unit}/{group}/{name}':<42}{cells}"


def _how(result: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    for label, name in (("judged anew", "anew"), ("carried over as it was", "carried"), ("left nothing", "left")):
        counts = ", ".join(f"{each['channel']}.{each['kind']} {each['count']:,}" for each in result["operations"][name])
        yield f"{label}: {counts or 'nothing'}"
    for run in ("today", "draft"):
        for name in ("refused", "failed"):
            for what, count in result[run][name].items():
                yield f"{name} under {'the rules of then' if run == 'today' else 'the draft'}: {what}, {count:,} times"
        for unit, short in result[run]["short"].items():
            yield f"could no longer be redeemed ({run}): {short['points']:,} {unit}, {short['times']:,} times"
    fidelity = result["fidelity"]
    for unit, found in fidelity["units"].items():
        yield (
            f"beside the books: {found['members']:,} of {fidelity['members']:,} members have other {unit},"
            f" {found['apart']:,} in all"
        )
    yield f"beside the books: {fidelity['tiers']:,} members stand on another tier"


def _said(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _difference(one: Any, other: Any) -> str:
    if isinstance(one, int) and isinstance(other, int):
        return f"{other - one:+,}"
    return ""
