"""A member who brings another, as channels see it that did not record it: who was brought, and what was paid for it.

One channel records who has brought whom, so that nobody is brought twice, by themselves or in a circle; it tells both
events with the one who was brought. Others pay for something else of the same, and see to it that no order pays the
one who brought the member twice.
"""

from typing import Final

MEMBER_BROUGHT: Final = "member.brought"
"""Told inside alone. Payload: ``by``, the member who has brought this one."""

BRINGING_PAID: Final = "referral.completed"
"""An order has brought the one who brought the member a bonus. Payload: ``inviter``, ``points`` and the order's
``reference``."""
