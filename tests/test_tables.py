"""The tables of core: what its models say is what its migrations make, on every database."""

from pathlib import Path

from tortoise.context import TortoiseContext

from core.store.databases import connect
from core.store.drafting import drift
from core.store.migrating import migrate, pending
from graph.laurel import tables
from plugins.manager import load_plugins
from tests.databases import Apps


async def test_the_migrations_of_core_say_all_that_its_models_do(apps: Apps) -> None:
    assert await drift(apps) == {}


PRIMARY_KEYS = {
    "sqlite": "SELECT m.name AS made, c.name AS part FROM sqlite_master m, pragma_table_info(m.name) c"
    " WHERE m.type = 'table' AND c.pk > 0 ORDER BY m.name, c.pk",
    "postgres": "SELECT c.relname AS made, a.attname AS part FROM pg_constraint k"
    " JOIN pg_class c ON c.oid = k.conrelid CROSS JOIN unnest(k.conkey) WITH ORDINALITY AS p(number, place)"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.number"
    " WHERE k.contype = 'p' AND k.connamespace = 'public'::regnamespace ORDER BY c.relname, p.place",
    "mysql": "SELECT table_name AS made, column_name AS part FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index",
}


async def test_every_table_is_kept_under_the_key_of_its_model(
    connected: TortoiseContext, fresh_database: str, apps: Apps
) -> None:
    client = connected.db("default")
    made: dict[str, list[str]] = {}
    for row in await client.execute_query_dict(PRIMARY_KEYS[client.capabilities.dialect]):
        made.setdefault(row["made"], []).append(row["part"])

    assert await pending(fresh_database, apps) == []
    assert connected.apps is not None
    for model in connected.apps["core"].values():
        key = getattr(model, "key", (model._meta.db_pk_column,))
        assert tuple(made[model._meta.db_table]) == key


async def test_every_table_of_a_plugin_is_kept_under_the_key_of_its_model(tmp_path: Path) -> None:
    plugins = tables(load_plugins())
    url = f"sqlite://{tmp_path / 'all.sqlite3'}"
    await migrate(url, plugins)

    async with connect(url, plugins) as context:
        client = context.db("default")
        made: dict[str, list[str]] = {}
        for row in await client.execute_query_dict(PRIMARY_KEYS["sqlite"]):
            made.setdefault(row["made"], []).append(row["part"])
        assert context.apps is not None
        models = [model for app in context.apps.values() for model in app.values()]

    assert {model._meta.db_table: tuple(made[model._meta.db_table]) for model in models} == {
        model._meta.db_table: tuple(getattr(model, "key", (model._meta.db_pk_column,))) for model in models
    }
