"""What giving tags by hand is answered "no" with."""

from datetime import datetime
from typing import Final

from core.errors import NotFound, Refusal, fact


class TagsNotOffered(Refusal):
    """The programme in force has no tag section."""

    code = "TAGS_NOT_OFFERED"
    says = "the programme in force at {at} has no tags"
    says_zh = "{at} 生效的规则没有标签"
    at: datetime = fact("The time of the request.")


class TagNotFound(NotFound):
    """The programme has no such tag."""

    code = "TAG_NOT_FOUND"
    says = "no tag {tag}; there are: {tags}"
    says_zh = "没有标签 {tag}；现有：{tags}"
    tag: str = fact("The tag that was asked for.")
    tags: str = fact("The tags of the programme, with commas between them.")


class TagIsPredicted(Refusal):
    """The tag says what is predicted of a member. Nobody gives it by hand, as rules would see it then."""

    code = "TAG_IS_PREDICTED"
    says = "{tag} says what is predicted, and is given by the predictions alone"
    says_zh = "标签 {tag} 由预测得出，不能人工添加"
    tag: str = fact("The tag.")


class TagAlreadyGiven(Refusal):
    """Somebody has given the member that tag by hand already, and for as long."""

    code = "TAG_ALREADY_GIVEN"
    says = "the member was given {tag} by hand at {given_at}, and for as long"
    says_zh = "该会员已于 {given_at} 获得人工标签 {tag}，期限相同"
    tag: str = fact("The tag.")
    given_at: datetime = fact("Since when the member has it.")


class TagNotGiven(Refusal):
    """Nobody has given the member that tag by hand. What a rule gives, its rule takes away."""

    code = "TAG_NOT_GIVEN"
    says = "the member was not given {tag} by hand"
    says_zh = "该会员没有人工标签 {tag}"
    tag: str = fact("The tag.")


REFUSALS: Final = (TagsNotOffered, TagNotFound, TagIsPredicted, TagAlreadyGiven, TagNotGiven)
