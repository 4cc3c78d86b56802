"""Keep the requests of deleted threads, so that a repeated one does not create its thread again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v8"
down_revision = "v7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("chatkit_requests") as requests:
        requests.alter_column("thread", existing_type=sa.BigInteger(), nullable=True)
