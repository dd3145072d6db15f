"""What the plugin answers "no" to."""

from core.errors import InvalidInput, NotFound, Refusal, fact


class WebhookEndpointNotFound(NotFound):
    """There is no such endpoint."""

    code = "WEBHOOK_ENDPOINT_NOT_FOUND"
    says = "there is no endpoint {endpoint}"
    says_zh = "没有端点 {endpoint}"
    endpoint: str = fact("The endpoint as it was named.")


class WebhookAddressRefused(InvalidInput):
    """Nothing is sent to this address."""

    code = "WEBHOOK_ADDRESS_REFUSED"
    says = "{url} is refused: {reason}"
    says_zh = "地址 {url} 被拒绝：{reason}"
    url: str = fact("The address as it was given.")
    reason: str = fact("What is wrong with it.")


class UnknownEventType(InvalidInput):
    """No event of that name is told outside."""

    code = "UNKNOWN_EVENT_TYPE"
    says = "there is no event {event}: `eventTypes` lists them"
    says_zh = "没有事件 {event}：`eventTypes` 列出了全部事件"
    event: str = fact("The name as it was given.")


class TooManyWebhookEndpoints(Refusal):
    """There are as many endpoints as there may be."""

    code = "TOO_MANY_WEBHOOK_ENDPOINTS"
    says = "there are {limit} endpoints already"
    says_zh = "已有 {limit} 个端点"
    limit: int = fact("How many there may be.")


REFUSALS: list[type[Refusal]] = [
    WebhookEndpointNotFound,
    WebhookAddressRefused,
    UnknownEventType,
    TooManyWebhookEndpoints,
]
