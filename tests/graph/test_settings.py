import pytest

from graph.app import create_app
from graph.settings import Settings, SettingsInvalid
from plugins.manager import Plugins


def test_an_empty_environment_gives_an_embedded_database_on_loopback() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings(database_url="sqlite://laurel.sqlite3", secret="", host="127.0.0.1", port=8000)


def test_every_setting_has_its_variable() -> None:
    settings = Settings.from_environment(
        {
            "LAUREL_DATABASE_URL": "postgres://db.example/laurel",
            "LAUREL_SECRET": "x" * 32,
            "LAUREL_JWKS_URL": "https://login.example/keys",
            "LAUREL_ISSUER": "https://login.example",
            "LAUREL_AUDIENCE": "laurel",
            "LAUREL_CLAIMS": "role=realm.roles, external_id=customer",
            "LAUREL_HOST": "0.0.0.0",
            "LAUREL_PORT": "80",
            "LAUREL_LIVE": "no",
            "LAUREL_JOBS": "no",
            "LAUREL_GRAPHIQL": "no",
            "LAUREL_INTROSPECTION": "staff",
            "LAUREL_DISABLED_PLUGINS": "purchase, sign_in",
            "LAUREL_BODY_BYTES_MAX": "1000",
        }
    )
    assert settings == Settings(
        database_url="postgres://db.example/laurel",
        secret="x" * 32,
        jwks="https://login.example/keys",
        issuer="https://login.example",
        audience="laurel",
        claims={"role": "realm.roles", "external_id": "customer"},
        host="0.0.0.0",
        port=80,
        live=False,
        jobs=False,
        graphiql=False,
        introspection="staff",
        disabled_plugins=frozenset({"purchase", "sign_in"}),
        body_bytes_max=1000,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAUREL_SECRET", "too short"),
        ("LAUREL_PORT", "http"),
        ("LAUREL_PORT", "-1"),
        ("LAUREL_GRAPHIQL", "perhaps"),
        ("LAUREL_JWKS_URL", "https://login.example/keys"),
        ("LAUREL_CLAIMS", "rule=realm.roles"),
        ("LAUREL_CLAIMS", "role"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_an_error(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        Settings.from_environment({name: value})


@pytest.mark.parametrize(
    ("environment", "served"),
    [({}, False), ({"LAUREL_LIVE": "no"}, True), ({"LAUREL_GRAPHIQL": "yes"}, True)],
)
def test_the_page_for_operators_of_a_live_programme_has_to_be_asked_for(
    environment: dict[str, str], served: bool
) -> None:
    assert Settings.from_environment(environment).serves_graphiql is served


def test_nothing_is_served_without_a_secret() -> None:
    with pytest.raises(SettingsInvalid, match="LAUREL_SECRET is not set"):
        create_app(Settings(), plugins=Plugins())
