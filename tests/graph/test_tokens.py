from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from graph.tokens import Caller, Role, TokenInvalid, issue_token, read_token

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECRET = "a secret of the tests, and of nothing else"
HOUR = timedelta(hours=1)


def signed(**claims: Any) -> str:
    good = {"sub": "till 4", "role": "service", "exp": int((NOW + HOUR).timestamp())}
    return jwt.encode({k: v for k, v in (good | claims).items() if v is not None}, SECRET, algorithm="HS256")


def test_a_token_says_who_asks() -> None:
    token = issue_token(SECRET, role=Role.SERVICE, subject="till 4", now=NOW, lifetime=HOUR)
    assert read_token(SECRET, token, now=NOW) == Caller(Role.SERVICE, "till 4", expires_at=NOW + HOUR)


def test_a_members_token_names_the_member() -> None:
    token = issue_token(SECRET, role=Role.MEMBER, subject="anna", now=NOW, lifetime=HOUR, member_id="0193")
    assert read_token(SECRET, token, now=NOW) == Caller(Role.MEMBER, "anna", "0193", expires_at=NOW + HOUR)


def test_a_partners_token_names_its_channels() -> None:
    token = issue_token(
        SECRET,
        role=Role.PARTNER,
        subject="acme",
        now=NOW,
        lifetime=HOUR,
        channels=["visit"],
        capabilities=["store.ship"],
    )
    caller = read_token(SECRET, token, now=NOW)
    assert caller.channels == {"visit"}
    assert caller.capabilities == {"store.ship"}


def test_a_token_ends_when_it_says() -> None:
    token = issue_token(SECRET, role=Role.ADMIN, subject="root", now=NOW, lifetime=HOUR)
    assert read_token(SECRET, token, now=NOW + HOUR - timedelta(microseconds=1)).role is Role.ADMIN
    with pytest.raises(TokenInvalid, match="has expired"):
        read_token(SECRET, token, now=NOW + HOUR)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("rubbish", id="rubbish"),
        pytest.param("a.b.c", id="three parts of rubbish"),
        pytest.param(jwt.encode({"sub": "x", "role": "admin", "exp": 2**33}, "", algorithm="none"), id="unsigned"),
        pytest.param(jwt.encode({"sub": "x", "role": "admin", "exp": 2**33}, "z" * 40), id="another's key"),
        pytest.param(
            jwt.encode({"sub": "x", "role": "admin", "exp": 2**33}, SECRET * 2, algorithm="HS512"),
            id="another algorithm",
        ),
        pytest.param(signed()[:-4] + "AAAA", id="changed signature"),
        pytest.param(signed(exp=None), id="no end"),
        pytest.param(signed(exp="2100-01-01"), id="an end that is no number"),
        pytest.param(signed(exp=1e400), id="an endless end"),
        pytest.param(signed(sub=None), id="no subject"),
        pytest.param(signed(sub=""), id="empty subject"),
        pytest.param(signed(sub="x" * 151), id="long subject"),
        pytest.param(signed(nbf=int((NOW + HOUR).timestamp())), id="not yet valid"),
        pytest.param(signed(nbf="now"), id="a beginning that is no number"),
        pytest.param(signed(role=None), id="no role"),
        pytest.param(signed(role="root"), id="unknown role"),
        pytest.param(signed(role=["admin"]), id="a list of roles"),
        pytest.param(signed(role="member"), id="a member without a member"),
        pytest.param(signed(role="member", member=7), id="a member that is a number"),
        pytest.param(signed(role="admin", member="0193"), id="an admin with a member"),
        pytest.param(signed(role="service", channels=["visit"]), id="a service with channels"),
        pytest.param(signed(role="partner", channels="visit"), id="channels that are a word"),
        pytest.param(signed(role="partner", channels=[7]), id="channels that are numbers"),
        pytest.param(signed(role="service", capabilities=["store.ship"]), id="a service with capabilities"),
    ],
)
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        read_token(SECRET, token, now=NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {"role": Role.MEMBER},
        {"role": Role.ADMIN, "member_id": "0193"},
        {"role": Role.ADMIN, "subject": ""},
        {"role": Role.SERVICE, "channels": ["visit"]},
    ],
)
def test_a_token_that_would_be_refused_is_not_issued(claims: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"member|subject|channels"):
        issue_token(SECRET, **{"subject": "x", "now": NOW, "lifetime": HOUR, **claims})
