"""What Alembic runs to apply migrations to the connection that it is given."""

from alembic import context

from agent_framework_chatkit.stores.sql.migrate import VERSION_TABLE
from agent_framework_chatkit.stores.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
