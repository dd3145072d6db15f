"""The tables of docs/figures.md and docs/predictions.md are what the command makes, and say what is said of them."""

import re

from examples.data import predict


def test_the_pages_have_the_tables_of_the_command() -> None:
    tables = predict.tables()

    assert [page.name for page in tables] == ["figures.md", "predictions.md"]
    for path, lines in tables.items():
        page = path.read_text(encoding="utf-8")
        made = predict.made(page, lines)
        # Other processors round the last digit of a search otherwise: two units of it are the same.
        assert re.sub(r"[\d.,]+", "#", made) == re.sub(r"[\d.,]+", "#", page)
        for ours, theirs in zip(_numbers(made), _numbers(page), strict=True):
            assert abs(ours - theirs) <= max(0.002, abs(theirs) * 0.001)


def test_the_models_are_better_than_the_naive_guess_on_cdnow() -> None:
    judged = predict.tried(predict.cdnow(), modified=True).judged

    assert judged.members == 23_570
    assert judged.orders.mean < 0.8 * judged.orders_guess.mean
    assert abs(judged.orders.total) < 0.5 * abs(judged.orders_guess.total)
    assert judged.spend.mean < 0.8 * judged.spend_guess.mean
    assert judged.silent < 0.8 * judged.silent_guess


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "").rstrip(".")) for number in re.findall(r"\d[\d.,]*", text)]
