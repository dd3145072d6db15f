"""What can be wrong with working on a draft, and with publishing one."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact


class DraftNotFound(NotFound):
    """There is no draft with that id."""

    code = "DRAFT_NOT_FOUND"
    says = "no draft {draft}"
    says_zh = "没有草稿 {draft}"
    draft: str = fact("The draft that was asked for.")


class VersionNotFound(NotFound):
    """The programme has no version of that number."""

    code = "VERSION_NOT_FOUND"
    says = "no version {version} of the programme"
    says_zh = "规则没有版本 {version}"
    version: int = fact("The version's number.")


class DraftChanged(Refusal):
    """Somebody has changed the draft since the caller looked at it. Nothing was done: look at it again."""

    code = "DRAFT_CHANGED"
    says = "the draft is at revision {revision}: {changed_by} changed it at {changed_at}"
    says_zh = "草稿已是第 {revision} 次修订：{changed_by} 于 {changed_at} 作了修改"
    revision: int = fact("The draft's revision by now.")
    changed_by: str = fact("Who changed it last.")
    changed_at: datetime = fact("When it was changed last.")


class DraftEnded(Refusal):
    """The draft was published or discarded before: it is not changed any more."""

    code = "DRAFT_ENDED"
    says = "the draft is {state}"
    says_zh = "草稿的状态为 {state}"
    state: str = fact("published or discarded.")


class DraftNotProposed(Refusal):
    """The draft was not proposed, or was changed after it had been."""

    code = "DRAFT_NOT_PROPOSED"
    says = "the draft is {state} and not proposed: proposeProgrammeDraft comes first"
    says_zh = "草稿的状态为 {state}，尚未提交审批：请先用 proposeProgrammeDraft"
    state: str = fact("Where the draft stands.")


class DraftOutdated(Refusal):
    """A version was published after the one that the draft began from: publishing it could undo what that changed."""

    code = "DRAFT_OUTDATED"
    says = (
        "the draft began from version {draft_based_on}, and version {newest_version} was published since by "
        "{newest_by} ({newest_reason}): look at what it changed, and say basedOn: {newest_version}"
    )
    says_zh = (
        "草稿基于版本 {draft_based_on}，此后 {newest_by} 发布了版本 {newest_version}（{newest_reason}）："
        "请查看其改动，并给出 basedOn: {newest_version}"
    )
    draft_based_on: int = fact("The version that the draft began from, or that was said to be seen; 0 for none.")
    newest_version: int = fact("The newest version.")
    newest_by: str = fact("Who published it.")
    newest_reason: str = fact("Why it was published.")


class SecondPersonNeeded(Refusal):
    """Here nobody publishes alone: one proposes a draft, and another approves it."""

    code = "SECOND_PERSON_NEEDED"
    says = "nobody publishes alone here: one proposes a draft (proposeProgrammeDraft), another approves it"
    says_zh = "此处发布须经两人：一人提交草稿（proposeProgrammeDraft），另一人批准"


class ApproverIsEditor(Refusal):
    """Who has worked on a draft, or proposed it, is not the second person."""

    code = "APPROVER_IS_EDITOR"
    says = "{approver} has worked on the draft or proposed it: somebody else approves it"
    says_zh = "{approver} 编辑或提交过该草稿：须由他人批准"
    approver: str = fact("Who wanted to approve it.")


class RollbackImpossible(Refusal):
    """The former version cannot be put in force again as it is. A draft of it can be mended."""

    code = "ROLLBACK_IMPOSSIBLE"
    says = "version {version} cannot come back: {reason}"
    says_zh = "版本 {version} 无法恢复：{reason}"
    version: int = fact("The version that was to come back.")
    reason: str = fact("What has moved past it.")


class EditInvalid(InvalidInput):
    """An edit names what the draft does not have, or what cannot stand there. None of the edits was made."""

    code = "EDIT_INVALID"
    says = "edit {edit}: {reason}"
    says_zh = "第 {edit} 处修改：{reason}"
    edit: int = fact("Which of the edits, from 1.")
    place: str = fact("The place in the document.")
    reason: str = fact("What is wrong with it.")
