"""What a programme without a section of theirs is answered by plugins that are no channels."""

from pathlib import Path

from graph.testing import open_shop
from graph.tokens import Role
from tests.plugins.channel import only, standing


async def test_a_brand_that_sends_nothing_keeps_nobodys_wishes(tmp_path: Path) -> None:
    async with open_shop(tmp_path, "id: x\ncurrency: CNY\ntimezone: UTC", plugins=only("message")) as shop:
        ann = await shop.enrol("ann")
        before = await standing(shop, ann)

        answer = await shop.ask(
            "mutation ($input: UpdateMessagePreferencesInput!)"
            " { updateMessagePreferences(input: $input) { errors { code } } }",
            {"input": {"member": {"id": ann}, "locale": "zh", "idempotencyKey": "1"}},
        )

        assert answer["updateMessagePreferences"]["errors"] == [{"code": "MESSAGES_NOT_OFFERED"}]
        assert await standing(shop, ann) == before


async def test_a_brand_without_tags_gives_none(tmp_path: Path) -> None:
    async with open_shop(tmp_path, "id: x\ncurrency: CNY\ntimezone: UTC", plugins=only("tag")) as shop:
        ann = await shop.enrol("ann")
        before = await standing(shop, ann)

        for name in ("tagMember", "untagMember"):
            kind = f"{name[0].upper()}{name[1:]}Input"
            answer = await shop.ask(
                f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ errors {{ code }} }} }}",
                {"input": {"member": {"id": ann}, "tag": "vip", "reason": "a test", "idempotencyKey": name}},
                role=Role.OPERATOR,
            )
            assert answer[name]["errors"] == [{"code": "TAGS_NOT_OFFERED"}]
        assert await standing(shop, ann) == before
