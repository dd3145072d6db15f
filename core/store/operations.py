"""``CreateModel``, ``AddIndex`` and ``RestoreKey`` for migrations: what Tortoise's own operations cannot make.

Tortoise emits neither CHECK nor named UNIQUE constraints with a new table, knows no composite primary
key, and leaves the comparison of text to the server. This one makes the same table on all three databases:
constraints where the model declares them, ``options["key"]`` as the primary key, text compared by its bytes.
The key stands in the migration file, so that an old migration never depends on the model of today.
"""

from typing import Any

from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.migrations.schema_editor.asyncpg import AsyncpgSchemaEditor
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_editor.mysql import MySQLSchemaEditor
from tortoise.migrations.schema_editor.sqlite import SqliteSchemaEditor
from tortoise.migrations.schema_generator.state import State

from core.store.fields import PartialIndex


class _WholeTable(BaseSchemaEditor):
    """A schema editor for one CREATE TABLE: adds to it what its ``CreateModel`` asks for.

    Made beside the editor of the running migration, and speaks through its connection.
    """

    def __init__(self, migrating: BaseSchemaEditor, options: dict[str, Any]) -> None:
        super().__init__(migrating.client, migrating.atomic, collect_sql=migrating.collect_sql)
        self.collected_sql = migrating.collected_sql
        self.key: tuple[str, ...] = tuple(options.get("key", ()))
        self.constraints: list[CheckConstraint | UniqueConstraint] = list(options.get("constraints", ()))
        if self.key:
            self.FIELD_TEMPLATE = self.FIELD_TEMPLATE.replace("{primary}", "")

    def _get_inner_statements(self) -> list[str]:
        statements = super()._get_inner_statements()
        if self.key:
            statements.append(f"PRIMARY KEY ({self._columns(self.key)})")
        for constraint in self.constraints:
            if isinstance(constraint, CheckConstraint):
                rule = f"CHECK ({constraint.check})"
            else:
                rule = f"UNIQUE ({self._columns(constraint.fields)})"
            statements.append(f"CONSTRAINT {self.quote(str(constraint.name))} {rule}")
        return statements

    def _columns(self, names: tuple[str, ...]) -> str:
        return ", ".join(map(self.quote, names))


class _SqliteTable(_WholeTable, SqliteSchemaEditor):
    def _table_generate_extra(self, table: str) -> str:
        # Rows that are found by their key alone are stored in it, rather than in a heap beside an index.
        return " WITHOUT ROWID" if self.key else ""


class _PostgresTable(_WholeTable, AsyncpgSchemaEditor):
    def _get_field_sql(
        self, db_field: str, field_type: str, nullable: bool, unique: bool, is_pk: bool, comment: str
    ) -> str:
        # A database made with a language's collation would sort and compare keys as that language does.
        if field_type.startswith(("VARCHAR", "TEXT")):
            field_type += ' COLLATE "C"'
        return super()._get_field_sql(db_field, field_type, nullable, unique, is_pk, comment)


class _MySQLTable(_WholeTable, MySQLSchemaEditor):
    # DDL cannot be rolled back here: a migration that broke off half way must find its first tables when it
    # is run again. The keys are part of the statement, so that a table is there as a whole or not at all.
    TABLE_CREATE_TEMPLATE = MySQLSchemaEditor.TABLE_CREATE_TEMPLATE.replace(
        "CREATE TABLE", "CREATE TABLE IF NOT EXISTS"
    )

    def _table_generate_extra(self, table: str) -> str:
        # The binary collation that does not pad: to utf8mb4_bin a key is the same with a space at its end.
        # MariaDB reads the first comment, MySQL the second.
        collation = "/*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */"
        return f" CHARACTER SET utf8mb4 COLLATE {collation} ENGINE=InnoDB"

    def _get_index_sql(
        self,
        model: Any,
        field_names: list[str],
        safe: bool = False,
        index_name: str | None = None,
        index_type: str | None = None,
        extra: str | None = None,
    ) -> str:
        # No partial indexes here: a plain one serves the same queries.
        return super()._get_index_sql(model, field_names, safe, index_name=index_name, index_type=index_type)


_TABLES: dict[str, type[_WholeTable]] = {
    "sqlite": _SqliteTable,
    "postgres": _PostgresTable,
    "mysql": _MySQLTable,
}


class CreateModel(ops.CreateModel):
    """Create a table with its constraints and, with ``options["key"]``, its composite primary key.

    The model marks only the last column of its key as ``primary_key``, since Tortoise can hold no more.
    """

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        if state_editor is not None:
            table = _TABLES[state_editor.DIALECT](state_editor, self.options or {})
            await table.create_model(new_state.apps.get_model(f"{app_label}.{self.name}"))


class AddIndex(ops.AddIndex):
    """Add an index to a table; where the database knows no partial ones, over all rows."""

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        if state_editor is None:
            return
        index = self.index
        if state_editor.DIALECT == "mysql":
            whole = index.whole if isinstance(index, PartialIndex) else index.fields
            index = Index(fields=list(whole), name=index.name)
        await state_editor.add_index(new_state.apps.get_model(f"{app_label}.{self.model_name}"), index)


class RestoreKey(ops.TortoiseOperation):
    """Give a table of SQLite back the composite key and the constraints of its ``CreateModel``, with all its rows.

    To change a column there, Tortoise makes the table anew and knows of neither. Elsewhere nothing was lost.
    """

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name = name
        self.options = options

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        if state_editor is None or state_editor.DIALECT != "sqlite":
            return
        model = new_state.apps.get_model(f"{app_label}.{self.name}")
        table, former = model._meta.db_table, f"former_{model._meta.db_table}"
        columns = ", ".join(f'"{column}"' for column in model._meta.fields_db_projection.values())
        await state_editor._run_sql(f'ALTER TABLE "{table}" RENAME TO "{former}"')
        await _SqliteTable(state_editor, self.options).create_model(model)
        await state_editor._run_sql(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM "{former}"')
        await state_editor._run_sql(f'DROP TABLE "{former}"')
