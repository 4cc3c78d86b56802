"""What `af-chatkit` is told, by options or by environment variables."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

from . import DEFAULT_STORE


class Settings(BaseSettings):
    """How a chat is served. Each setting is also an environment variable: `CHATKIT_STORE`, ...

    Attributes:
        agent: The agent, as `module:name`: an agent, a workflow or its builder, or a function
            that returns one. If there are several, separated by spaces, people choose one.
        store: The database's URL.
        attachments: Where uploaded files go: a folder, or a bucket's URL. Without it there are no
            uploads.
        lease: Seconds that a thread stays locked after a worker has died in a turn.
        audit_days: How many days the records of the audit trail are kept.
        secret: Signs links to files; by default the one that the database keeps.
        host: The address to listen on.
        port: The port to listen on.
        allowed_hosts: The names under which the chat is served, separated by commas. By default,
            where only this machine reaches it, its own; else all.
        root_path: The path under which a proxy serves the chat, such as `/chat`.
        workers: How many processes serve.
    """

    model_config = SettingsConfigDict(env_prefix="CHATKIT_")

    agent: str = ""
    store: str = DEFAULT_STORE
    attachments: str | None = None
    lease: float = 10
    audit_days: float = 90
    secret: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: str = ""
    root_path: str = ""
    workers: int = 1
