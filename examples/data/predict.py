"""How good the predictions are: fitted to the first weeks of real data, judged by the weeks that were held back.

    python -m examples.data.predict            # the errors, and the parameters found
    python -m examples.data.predict --write    # put them into docs/figures.md and docs/predictions.md

Needs ``laurel[predictions]``. CDNOW is split where the literature splits it, after week 39 of 78; of X5, which is four
months of a hundred members, the second half is held back.
"""

import argparse
import csv
import gzip
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from core.predictions.buying import Buying, BuyingModel, SpendingModel
from core.predictions.fitting import (
    Payments,
    Redeeming,
    fit_buying,
    fit_redeeming,
    fit_spending,
    score_losing,
)
from core.predictions.judging import Came, Error, Judged, Seen, judge
from examples.data import prepare

DOCS: Final = Path(__file__).parents[2] / "docs"
BEGIN: Final = "<!-- made by python -m examples.data.predict --write -->\n"
END: Final = "<!-- end -->\n"

HERE: Final = Path(__file__).parent
CDNOW_FITTED: Final = date(1997, 9, 30)
CDNOW_END: Final = date(1998, 6, 30)
X5_FITTED: Final = date(2019, 1, 18)
X5_LEAST: Final = 20
"""A hundred members are less than a fit asks for anywhere else."""

Days = Mapping[date, float]
"""What a customer paid, by day."""


class Tried(NamedTuple):
    """A model of CDNOW, fitted and judged."""

    model: BuyingModel
    spending: SpendingModel
    judged: Judged


class Guess(NamedTuple):
    """What is said of points, in all, and how far off it is by member."""

    points: float
    error: float

    @classmethod
    def of(cls, said: Sequence[float], came: Sequence[float]) -> "Guess":
        off = [abs(a - b) for a, b in zip(said, came, strict=True)]
        return cls(sum(said), sum(off) / len(off))


class Halves(NamedTuple):
    """X5's second half: what members redeemed, and what they would have lost; each said, guessed and come."""

    members: int
    redeemed: Sequence[Guess]
    lost: Sequence[Guess]


# -- CDNOW --------------------------------------------------------------------------------------------


def sample() -> frozenset[str]:
    """The 2,357 customers that the literature fits its models to."""
    return frozenset((HERE / "cdnow" / "sample.csv").read_text().split()[1:])


def cdnow() -> dict[str, Days]:
    """Everybody's purchases by day; those of one day are one, as in the literature."""
    days: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    with gzip.open(HERE / "cdnow" / "orders.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            days[row["customer_id"]][date.fromisoformat(row["order_date"])] += float(row["amount"])
    return {customer: days[customer] for customer in sorted(days)}


def split(days: Days) -> tuple[Seen, Came]:
    """What was seen of a customer in weeks 1 to 39, and what came in weeks 40 to 78."""
    seen = sorted(day for day in days if day <= CDNOW_FITTED)
    repeats, later = seen[1:], [day for day in days if day > CDNOW_FITTED]
    paid = [days[day] for day in repeats]
    buying = Buying(len(repeats), (seen[-1] - seen[0]).days, (CDNOW_FITTED - seen[0]).days)
    average = sum(paid) / len(paid) if paid else 0.0
    return Seen(buying, Payments(len(paid), average)), Came(len(later), sum(days[day] for day in later))


def tried(customers: Mapping[str, Days], *, modified: bool) -> Tried:
    """A model fitted to the weeks 1 to 39 of these customers, and judged by the weeks 40 to 78."""
    seen, came = zip(*(split(days) for days in customers.values()), strict=True)
    model = fit_buying((one.buying for one in seen), modified=modified)
    spending = fit_spending([one.payments for one in seen])
    judged = judge(seen, came, (CDNOW_END - CDNOW_FITTED).days, model, spending)
    return Tried(model, spending, judged)


# -- X5 -----------------------------------------------------------------------------------------------


def x5() -> Halves:
    """The second half of X5's data, as told by the first; of losses, if all that was there had expired at the end.

    Tenths of points are whole ones here, as when they are imported.
    """
    had, times, amounts, later = (defaultdict[str, int](int) for _ in range(4))
    events = list(prepare.x5_loyalty())
    first, last = (datetime.fromisoformat(events[at]["at"]).date() for at in (0, -1))
    for event in events:
        member, day = str(event["member"]), datetime.fromisoformat(event["at"]).date()
        if event["kind"] == "adjustment":
            had[member] += int(event["points"])
            continue
        spent = int(event["points_spent"])
        if day > X5_FITTED:
            later[member] += spent
            continue
        had[member] += int(event["promised"]) - spent
        times[member] += spent > 0
        amounts[member] += spent
    members = sorted({str(event["member"]) for event in events})
    age, ahead = (X5_FITTED - first).days + 1, (last - X5_FITTED).days
    averages = {member: amounts[member] / max(times[member], 1) for member in members}
    model = fit_redeeming([Redeeming(times[member], age) for member in members], least=X5_LEAST)
    takes = fit_spending([Payments(times[member], averages[member]) for member in members], least=X5_LEAST)
    each = {member: takes.mean(times[member], averages[member]) for member in members}
    pace = {member: amounts[member] / age * ahead for member in members}
    said = [model.times(times[member], age, ahead) * each[member] for member in members]
    redeemed = [float(later[member]) for member in members]
    lost = [float(max(had[member] - later[member], 0)) for member in members]
    there = [max(had[member], 0) for member in members]
    said_lost = score_losing(
        model,
        [Redeeming(times[member], age) for member in members],
        list(each.values()),
        there,
        [ahead] * len(members),
    ).tolist()
    return Halves(
        len(members),
        [Guess.of(guess, redeemed) for guess in (redeemed, said, list(pace.values()), [0.0] * len(members))],
        [
            Guess.of(guess, lost)
            for guess in (
                lost,
                said_lost,
                [max(had[member] - pace[member], 0.0) for member in members],
                [float(max(had[member], 0)) for member in members],
            )
        ],
    )


# -- the tables ---------------------------------------------------------------------------------------


def tables() -> Mapping[Path, Sequence[str]]:
    """The lines of each page."""
    everybody, chosen = cdnow(), sample()
    some = {customer: days for customer, days in everybody.items() if customer in chosen}
    found = {
        (name, form): tried(customers, modified=form == "MBG/NBD")
        for name, customers in (("sample", some), ("everybody", everybody))
        for form in ("BG/NBD", "MBG/NBD")
    }
    errors = [*_errors_of_orders(found), "", *_errors_of_points(x5())]
    return {DOCS / "figures.md": errors, DOCS / "predictions.md": list(_parameters(found))}


def _parameters(found: Mapping[tuple[str, str], Tried]) -> Iterator[str]:
    yield "| parameters | customers | r | alpha (weeks) | a | b | p | q | gamma |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for (name, form), one in found.items():
        model, spending = one.model, one.spending
        figures = (model.r, model.alpha, model.a, model.b, spending.p, spending.q, spending.gamma)
        yield f"| {form}, {name} | {one.judged.members:,} | {' | '.join(f'{figure:.3f}' for figure in figures)} |"


def _errors_of_orders(found: Mapping[tuple[str, str], Tried]) -> Iterator[str]:
    heads = ("weeks 40 to 78 of CDNOW", "days with orders: error a member", "of the sum")
    yield f"| {' | '.join((*heads, 'dollars: error a member', 'of the sum', 'who orders at all'))} |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name in ("sample", "everybody"):
        for form in ("BG/NBD", "MBG/NBD"):
            judged = found[name, form].judged
            yield f"| {form}, {name} | {_errors(judged.orders, judged.spend)} | {judged.silent:.3f} |"
        judged = found[name, "MBG/NBD"].judged
        errors = _errors(judged.orders_guess, judged.spend_guess)
        yield f"| the naive guess, {name} | {errors} | {judged.silent_guess:.3f} |"


def _errors_of_points(halves: Halves) -> Iterator[str]:
    heads = (f"second half of X5, {halves.members} members", "points redeemed", "error a member")
    yield f"| {' | '.join((*heads, 'points lost', 'error a member'))} |"
    yield "|---|--:|--:|--:|--:|"
    names = ("what came", "predicted", "the naive guess: at the pace so far", "the naive guess: nothing is redeemed")
    for name, redeemed, lost in zip(names, halves.redeemed, halves.lost, strict=True):
        yield f"| {name} | {redeemed.points:,.0f} | {redeemed.error:.0f} | {lost.points:,.0f} | {lost.error:.0f} |"


def _errors(orders: Error, spend: Error) -> str:
    return f"{orders.mean:.3f} | {orders.total:+.1%} | {spend.mean:.2f} | {spend.total:+.1%}"


def made(page: str, lines: Sequence[str]) -> str:
    """The page with the tables of now."""
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    return "\n".join((f"{head}{BEGIN}", *lines, "", f"{END}{tail}"))


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or put them into their pages."""
    parser = argparse.ArgumentParser(prog="python -m examples.data.predict", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--write", action="store_true", help="put them into docs/figures.md and docs/predictions.md")
    writes = parser.parse_args(arguments).write
    for page, lines in tables().items():
        if writes:
            page.write_text(made(page.read_text(encoding="utf-8"), lines), encoding="utf-8")
        else:
            sys.stdout.writelines(f"{line}\n" for line in (*lines, ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
