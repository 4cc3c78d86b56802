"""Add digests of requests, to recognize another request with the same ID."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v6"
down_revision = "v5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("chatkit_requests", sa.Column("digest", sa.Text(), nullable=True))
