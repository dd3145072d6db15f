"""What always holds of the channel's tables, for ``laurel verify``."""

from typing import Final

from core.oversight.verify import Invariant

_PLACE: Final = ("bucket", "member_id", "period", "benefit")
_SAME: Final = " AND ".join(f"u.{column} = e.{column}" for column in _PLACE)
_USES: Final = (
    f"SELECT {', '.join(_PLACE)}, COUNT(*) AS uses, SUM(CASE WHEN undone_at IS NULL THEN 1 ELSE 0 END) AS counting"
    f" FROM benefit_use GROUP BY {', '.join(_PLACE)}"
)

INVARIANTS: Final = (
    Invariant(
        "benefit uses",
        "what was used of a benefit in a period is the uses of it that were not given back",
        "SELECT e.member_id, e.period, e.benefit, e.used, COALESCE(u.counting, 0) AS uses FROM benefit_entitlement e"
        f" LEFT JOIN ({_USES}) u ON {_SAME} WHERE e.used <> COALESCE(u.counting, 0)",
    ),
    Invariant(
        "benefit quotas",
        "what was used of a benefit in a period is no more than the highest quota of it then",
        "SELECT e.member_id, e.period, e.benefit, e.used, e.quota FROM benefit_entitlement e"
        " WHERE e.used < 0 OR e.used > COALESCE(e.quota, e.used)",
    ),
    Invariant(
        "benefit entitlements",
        "each use of a benefit is counted in its period",
        f"SELECT u.member_id, u.period, u.benefit, u.uses FROM ({_USES}) u"
        f" LEFT JOIN benefit_entitlement e ON {_SAME} WHERE e.benefit IS NULL",
    ),
    Invariant(
        "benefit operations",
        "a use of a benefit was made by an accepted operation of its member",
        "SELECT u.member_id, u.use_id, u.transaction_id FROM benefit_use u LEFT JOIN operation o"
        " ON o.bucket = u.bucket AND o.member_id = u.member_id AND o.id = u.transaction_id"
        " WHERE o.id IS NULL OR NOT o.accepted",
    ),
    Invariant(
        "benefit orders",
        "a benefit counts once for what it was used with",
        "SELECT u.member_id, u.benefit, u.reference, COUNT(*) AS uses FROM benefit_use u WHERE u.undone_at IS NULL"
        " GROUP BY u.bucket, u.member_id, u.benefit, u.reference HAVING COUNT(*) > 1",
    ),
)
