"""Alembic's entry point, which applies migrations to a given connection."""

from alembic import context

from agent_framework_chatkit.stores.sql.migrate import VERSION_TABLE
from agent_framework_chatkit.stores.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
