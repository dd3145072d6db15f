"""The suite that partners' channels are held to, for ours."""

from pathlib import Path

import pytest

from graph.conformance import Verdict, examine
from plugins.manager import find_offers

OFFERS = {offer.name: offer for offer in find_offers()}


@pytest.mark.parametrize("name", OFFERS)
async def test_our_channels_keep_what_partners_have_to_keep(tmp_path: Path, name: str) -> None:
    others = [offer for offer in OFFERS.values() if offer.name != name]

    results = await examine(OFFERS[name], others, tmp_path)

    assert [result for result in results if result.verdict is Verdict.FAILS] == []
