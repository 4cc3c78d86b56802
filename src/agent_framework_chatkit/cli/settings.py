"""The settings of `af-chatkit`, from options or environment variables."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from . import DEFAULT_STORE


class Settings(BaseSettings):
    """The settings of a server. Each has an environment variable, such as `CHATKIT_STORE`.

    Attributes:
        agent: The agent, as `module:name`: an agent, a workflow, a workflow builder, or a function
            that returns one. If there are several, separated by spaces, users choose one.
        store: The database URL.
        direct_store: PostgreSQL's own URL, if `store` is that of a pooler such as PgBouncer.
        attachments: Where to store uploaded files: a folder or a bucket URL. Without it, uploads
            are refused.
        lease: Seconds that a thread stays locked after its worker died during a turn.
        audit_days: Days to keep the records of the audit trail.
        secret: Signs links to files; by default, a secret stored in the database.
        host: The address to listen on.
        port: The port to listen on.
        allowed_hosts: The host names of the chat, separated by commas. By default, local names on
            a loopback address, and all names otherwise.
        root_path: The path under which a proxy serves the chat, such as `/chat`.
        workers: The number of server processes.
    """

    model_config = SettingsConfigDict(env_prefix="CHATKIT_")

    agent: str = ""
    store: str = DEFAULT_STORE
    direct_store: str | None = None
    attachments: str | None = None
    lease: float = Field(default=10, gt=0)
    audit_days: float = Field(default=90, gt=0)
    secret: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: str = ""
    root_path: str = ""
    workers: int = 1
