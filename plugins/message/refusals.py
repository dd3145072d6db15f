"""What the plugin answers "no" to."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact


class MessagesNotOffered(Refusal):
    """The programme in force has no message section."""

    code = "MESSAGES_NOT_OFFERED"
    says = "the programme in force at {at} sends no messages"
    says_zh = "{at} 生效的规则不发送消息"
    at: datetime = fact("The time of the request.")


class MessageNotFound(NotFound):
    """The programme has no such message."""

    code = "MESSAGE_NOT_FOUND"
    says = "there is no message {named}{hint}"
    says_zh = "没有消息 {named}{hint}"
    named: str = fact("The message as it was named.")
    hint: str = fact("What may have been meant; empty when nothing is near.")


class TopicNotFound(NotFound):
    """The programme has no such topic."""

    code = "TOPIC_NOT_FOUND"
    says = "there is no topic {topic}{hint}"
    says_zh = "没有主题 {topic}{hint}"
    topic: str = fact("The topic as it was named.")
    hint: str = fact("What may have been meant; empty when nothing is near.")


class CarrierNotFound(NotFound):
    """No such carrier is installed."""

    code = "CARRIER_NOT_FOUND"
    says = "there is no carrier {carrier}{hint}"
    says_zh = "没有发送渠道 {carrier}{hint}"
    carrier: str = fact("The carrier as it was named.")
    hint: str = fact("What may have been meant; empty when nothing is near.")


class TopicNotOptional(Refusal):
    """Messages about this are sent to everybody whom they concern."""

    code = "TOPIC_NOT_OPTIONAL"
    says = "what is about {topic} cannot be turned off"
    says_zh = "{topic} 类消息不能关闭"
    topic: str = fact("The topic.")


class MessageAddressRefused(InvalidInput):
    """Nobody can be reached there."""

    code = "MESSAGE_ADDRESS_REFUSED"
    says = "the address for {carrier} is refused: {reason}"
    says_zh = "{carrier} 的地址被拒绝：{reason}"
    carrier: str = fact("The carrier that it is for.")
    reason: str = fact("What is wrong with it.")


REFUSALS: list[type[Refusal]] = [
    MessagesNotOffered,
    MessageNotFound,
    TopicNotFound,
    CarrierNotFound,
    TopicNotOptional,
    MessageAddressRefused,
]
