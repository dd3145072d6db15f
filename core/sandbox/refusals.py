"""What keeps a clock from being moved."""

from datetime import datetime

from core.errors import Refusal, fact


class SandboxTooLate(Refusal):
    """A database in which a programme was published cannot become a sandbox."""

    code = "SANDBOX_TOO_LATE"
    says = "a programme has been published here, so this database cannot become a sandbox any more; take an empty one"
    says_zh = "此数据库已发布过规则，不能再设为沙盒；请使用空数据库"


class NotASandbox(Refusal):
    """The database is no sandbox, and its clock is the machine's."""

    code = "NOT_A_SANDBOX"
    says = "this is no sandbox: its clock cannot be moved"
    says_zh = "这不是沙盒，时钟不能调整"


class ClockGoesForward(Refusal):
    """The clock was to be moved to where it has been."""

    code = "CLOCK_GOES_FORWARD"
    says = "the clock stands at {clock_at} and goes forward only, not to {moved_until}"
    says_zh = "时钟现为 {clock_at}，只能向前调，不能调到 {moved_until}"
    clock_at: datetime = fact("Where the clock stands.")
    moved_until: datetime = fact("Where the clock was to be moved, or is on its way to.")


class ClockTooFar(Refusal):
    """The clock was to be moved farther than it goes at once, or than it goes at all."""

    code = "CLOCK_TOO_FAR"
    says = "the clock can be moved to {furthest_at} at present, not to {moved_until}"
    says_zh = "时钟目前最多可调到 {furthest_at}，不能调到 {moved_until}"
    furthest_at: datetime = fact("The farthest that it can be moved to now.")
    moved_until: datetime = fact("Where the clock was to be moved, or is on its way to.")


class ClockMoving(Refusal):
    """Somebody moves the clock at this moment."""

    code = "CLOCK_MOVING"
    says = "the clock is on its way to {moved_until}"
    says_zh = "时钟正在调往 {moved_until}"
    moved_until: datetime = fact("Where the clock was to be moved, or is on its way to.")
