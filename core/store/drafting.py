"""Writing migrations: what the models of an app say that its migrations don't.

For developers, and for the test that nothing is missing. Nothing here opens a database.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tortoise.context import TortoiseContext
from tortoise.fields.base import Field
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import AddIndex as StockAddIndex
from tortoise.migrations.operations import AlterModelOptions, Operation
from tortoise.migrations.operations import CreateModel as StockCreateModel
from tortoise.migrations.writer import ImportManager, MigrationWriter

from core.store.databases import Tables, tortoise_config
from core.store.operations import AddIndex, CreateModel

Key = tuple[str, ...]


async def drift(apps: Mapping[str, Tables]) -> dict[str, str]:
    """The migrations that are missing, as text by path; empty when all is written down."""
    return {str(writer.path()): writer.as_string() for writer in await _missing(apps)}


async def draft(apps: Mapping[str, Tables]) -> list[Path]:
    """Write the migrations that are missing into the apps' packages, to be read before they are kept.

    Draft the app that others refer to first and alone, as a migration only depends on files that exist.
    Raises ValueError for a changed primary key, which no migration can bring to a table with rows.
    """
    return [writer.write() for writer in await _missing(apps)]


async def _missing(apps: Mapping[str, Tables]) -> list["_Writer"]:
    config = tortoise_config("sqlite://never-opened", apps)
    async with TortoiseContext() as context:
        await context.init(config, init_connections=False)
        assert context.apps is not None
        keys: dict[tuple[str, str], Key] = {
            (label, name): tuple(getattr(model, "key", ()))
            for label, models in context.apps.items()
            for name, model in models.items()
        }
        detector = MigrationAutodetector(context.apps, config["apps"])
        changes = await detector.changes()
    for model, key in _created(detector):
        if model in keys and keys[model] != key:
            raise ValueError(f"the key of {'.'.join(model)} was {key} and cannot become {keys[model]}")
    writers = [_Writer(change, keys) for change in changes]
    return [writer for writer in writers if writer.operations]


def _created(detector: MigrationAutodetector) -> Iterator[tuple[tuple[str, str], Key]]:
    """The models that migrations have made, and under which key; Tortoise forgets the key."""
    for migration in detector.loader.disk_migrations.values():
        for operation in migration.operations:
            if isinstance(operation, CreateModel):
                key = (operation.options or {}).get("key", ())
                yield (migration.app_label, operation.name), tuple(key)


class _Writer(MigrationWriter):
    """Writes our ``CreateModel``, with the composite key of its model and without its docstring, and our ``AddIndex``.

    Tortoise takes the docstring for the table's comment, and would want a migration whenever it is reworded.
    """

    def __init__(self, change: MigrationWriter, keys: Mapping[tuple[str, str], Key]) -> None:
        super().__init__(
            change.name,
            change.app_label,
            # Options of a model that change nothing in the database: names, and the docstring.
            [operation for operation in change.operations if not isinstance(operation, AlterModelOptions)],
            dependencies=change.dependencies,
            initial=change.initial,
            migrations_module=change.migrations_module,
        )
        self.keys = keys

    def _render_field(self, field: Field[Any], imports: ImportManager) -> str:
        text = super()._render_field(field, imports)
        if field.pk and field.allows_generated and not field.generated:
            # Tortoise leaves this out, and reads a number that is a primary key without it as generated.
            text = f"{text.removesuffix(')')}, generated=False)"
        return text

    def _format_operation(self, operation: Operation, imports: ImportManager, *, indent: str) -> list[str]:
        lines = super()._format_operation(operation, imports, indent=indent)
        if isinstance(operation, StockAddIndex):
            imports.add_from(AddIndex.__module__, AddIndex.__name__)
            lines[0] = lines[0].replace("ops.", "")
        return lines

    def _format_create_model(self, operation: StockCreateModel, imports: ImportManager, *, indent: str) -> list[str]:
        imports.add_from(CreateModel.__module__, CreateModel.__name__)
        options = {name: value for name, value in (operation.options or {}).items() if name != "table_description"}
        if key := self.keys[self.app_label, operation.name]:
            options["key"] = key
        lines = super()._format_create_model(
            StockCreateModel(operation.name, operation.fields, options, operation.bases), imports, indent=indent
        )
        return [lines[0].replace("ops.", ""), *lines[1:]]
