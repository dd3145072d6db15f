"""Turn the example data into events for `laurel import orders`: one JSON object a line, in the order of time.

    python3 examples/data/prepare.py online_retail online_retail.jsonl --unmatched unmatched.jsonl
    python3 examples/data/prepare.py x5_loyalty x5_loyalty.jsonl

Plain Python, so that it runs before anything is installed. What is decided here is said in the READMEs.
"""

import argparse
import csv
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO, cast

HERE = Path(__file__).parent
PENNY = Decimal("0.01")

Event = dict[str, Any]
Row = dict[str, str]


class Priced(NamedTuple):
    """What lines are merged by."""

    sku: str
    price: str


def text(path: Path, mode: Literal["r", "w"]) -> TextIO:
    """The file as text, through gzip if its name ends so."""
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, f"{mode}t", encoding="utf-8", newline=""))
    return path.open(mode, encoding="utf-8", newline="")


def rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file, gzip or not, one at a time."""
    with text(path, "r") as file:
        yield from csv.DictReader(file)


def penny(amount: Decimal) -> Decimal:
    """To the penny, half up.

    >>> penny(Decimal("0.005"))
    Decimal('0.01')
    """
    return amount.quantize(PENNY, ROUND_HALF_UP)


def instant(local: str) -> str:
    return local.replace(" ", "T")


# -- online_retail ------------------------------------------------------------------------------------


def online_retail(folder: Path = HERE / "online_retail") -> Iterator[Event]:
    """Sales and, for what a cancellation took from each sale, refunds by line.

    Of two events of one second the sale comes first, as it may be what is refunded.
    """
    lines = _merged_lines(folder)
    returned = _matched_returns(folder)
    for _, same_time in groupby(rows(folder / "orders.csv.gz"), key=lambda order: order["order_ts"]):
        for order in sorted(same_time, key=lambda order: order["kind"] != "sale"):
            if order["kind"] == "sale":
                yield _sale(order, lines.pop(order["order_id"]))
            else:
                yield from _refunds(order, returned.get(order["order_id"], {}))


def unmatched(folder: Path = HERE / "online_retail") -> Iterator[Event]:
    """What was cancelled but belongs to no sale that we know of; no events of these are made."""
    for match in rows(folder / "return_matches.csv.gz"):
        if not match["sale_order_id"]:
            yield {
                "reference": match["return_order_id"],
                **_line(Priced(match["stock_code"], match["unit_price"]), "goods", int(match["quantity"])),
                "reason": "no earlier sale of it to this customer",
            }
    for line in rows(folder / "lines.csv.gz"):
        if line["order_id"].startswith("C") and line["line_type"] != "goods":
            yield {
                "reference": line["order_id"],
                **_line(Priced(line["stock_code"], line["unit_price"]), line["line_type"], -int(line["quantity"])),
                "reason": "not goods, so matched to no sale",
            }


def _merged_lines(folder: Path) -> dict[str, dict[Priced, tuple[str, int]]]:
    """Type and quantity of the lines of each sale. In memory, as one invoice's lines may lie apart."""
    merged: dict[str, dict[Priced, tuple[str, int]]] = defaultdict(dict)
    for line in rows(folder / "lines.csv.gz"):
        if line["order_id"].startswith("C"):
            continue
        of_order = merged[line["order_id"]]
        priced = Priced(sys.intern(line["stock_code"]), sys.intern(line["unit_price"]))
        kind, quantity = of_order.get(priced, (sys.intern(line["line_type"]), 0))
        of_order[priced] = (kind, quantity + int(line["quantity"]))
    return merged


def _matched_returns(folder: Path) -> dict[str, dict[str, dict[Priced, int]]]:
    """Quantities by cancellation, then by the sale they came from."""
    returned: dict[str, dict[str, dict[Priced, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for match in rows(folder / "return_matches.csv.gz"):
        if match["sale_order_id"]:
            priced = Priced(match["stock_code"], match["unit_price"])
            returned[match["return_order_id"]][match["sale_order_id"]][priced] += int(match["quantity"])
    return returned


def _line(priced: Priced, category: str, quantity: int) -> Event:
    amount = penny(Decimal(priced.price) * quantity)
    return {"sku": priced.sku, "category": category, "quantity": quantity, "amount": str(amount)}


def _total(lines: Iterable[Event]) -> str:
    return str(sum((Decimal(line["amount"]) for line in lines), Decimal("0.00")))


def _sale(order: Row, merged: dict[Priced, tuple[str, int]]) -> Event:
    lines = [_line(priced, kind, quantity) for priced, (kind, quantity) in merged.items()]
    return {
        "kind": "sale",
        "reference": order["order_id"],
        "member": order["customer_id"],
        "at": instant(order["order_ts"]),
        "amount": _total(lines),
        "lines": lines,
    }


def _refunds(order: Row, by_sale: dict[str, dict[Priced, int]]) -> Iterator[Event]:
    for sale, quantities in by_sale.items():
        lines = [_line(priced, "goods", quantity) for priced, quantity in quantities.items()]
        yield {
            "kind": "refund",
            "reference": order["order_id"] if len(by_sale) == 1 else f"{order['order_id']}/{sale}",
            "order": sale,
            "member": order["customer_id"],
            "at": instant(order["order_ts"]),
            "amount": _total(lines),
            "lines": lines,
        }


# -- x5_loyalty ---------------------------------------------------------------------------------------


def x5_loyalty(folder: Path = HERE / "x5_loyalty") -> Iterator[Event]:
    """Opening balances, then sales with the points that they brought and used."""
    first_day = next(rows(folder / "orders.csv"))["order_ts"][:10]
    for member, points in _opening_balances(folder).items():
        yield {
            "kind": "adjustment",
            "reference": f"opening/{member}",
            "member": member,
            "at": f"{first_day}T00:00:00",
            "points": points,
            "reason": "opening balance",
        }
    category = {
        product["product_id"]: f"{product['department']}/{product['category']}"
        for product in rows(folder / "products.csv")
    }
    # The lines lie in the order of the orders.
    lines = groupby(rows(folder / "lines.csv"), key=lambda line: line["order_id"])
    for order, (order_id, of_order) in zip(rows(folder / "orders.csv"), lines, strict=True):
        assert order["order_id"] == order_id, "a line without its order, or an order without lines"
        yield {
            "kind": "sale",
            "reference": order_id,
            "member": order["member_id"],
            "at": instant(order["order_ts"]),
            "amount": order["amount"],
            "promised": tenths(order["regular_points_received"]),
            "points_spent": tenths(order["regular_points_spent"]),
            "lines": [
                {
                    "sku": line["product_id"],
                    "category": category[line["product_id"]],
                    "quantity": max(1, int(line["quantity"])),
                }
                for line in of_order
            ],
        }


def tenths(points: str) -> int:
    """Points in tenths, exactly.

    >>> tenths("2.6")
    26
    """
    whole = Decimal(points) * 10
    assert whole == int(whole), f"{points} is no whole number of tenths"
    return int(whole)


def _opening_balances(folder: Path) -> dict[str, int]:
    """The fewest points that each member must have had for every spend to be honoured."""
    balance: dict[str, int] = defaultdict(int)
    lowest: dict[str, int] = defaultdict(int)
    for order in rows(folder / "orders.csv"):
        member = order["member_id"]
        balance[member] -= tenths(order["regular_points_spent"])
        lowest[member] = min(lowest[member], balance[member])
        balance[member] += tenths(order["regular_points_received"])
    return {member: -points for member, points in lowest.items() if points < 0}


def write(events: Iterable[Event], path: Path) -> int:
    """Write events to a file; returns how many."""
    count = 0
    with text(path, "w") as file:
        for event in events:
            file.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description="Turn the example data into events, one JSON object a line.")
    parser.add_argument("data", choices=["online_retail", "x5_loyalty"])
    parser.add_argument("events", type=Path, help="the file to write")
    parser.add_argument("--unmatched", type=Path, help="where to list what was cancelled but never sold")
    asked = parser.parse_args()
    if asked.unmatched and asked.data != "online_retail":
        parser.error("--unmatched is for online_retail")
    events = online_retail() if asked.data == "online_retail" else x5_loyalty()
    print(f"{write(events, asked.events)} events in {asked.events}")
    if asked.unmatched:
        print(f"{write(unmatched(), asked.unmatched)} cancelled lines without a sale in {asked.unmatched}")


if __name__ == "__main__":
    main()
