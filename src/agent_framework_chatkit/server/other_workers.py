"""Notices what other workers do to the threads that clients follow here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..stores.sql.changes import Changes, watch_changes
from ..stores.sql.turn_rows import TurnRow
from .channel import Channel

if TYPE_CHECKING:
    from .worker import Worker


class OtherWorkers:
    """Watches the database for changes by other workers, and delivers them.

    Args:
        worker: This worker.
        channels: Its channels by thread key. The worker changes this mapping.
    """

    def __init__(self, worker: Worker[Any], channels: Mapping[int, Channel]) -> None:
        self._worker = worker
        self._channels = channels
        self._changes: Changes | None = None

    def watch(self) -> None:
        """Watch for changes by other workers in the threads followed here."""
        if self._changes is None:
            self._changes = watch_changes(self._worker.store.database, self._check)
        self._changes.wanted = True

    async def _check(self, keys: set[int] | None) -> bool:
        """Check threads that another worker may have changed.

        Args:
            keys: The threads' keys; `None` for all threads.

        Returns:
            Whether anything is left to watch.
        """
        await self._worker.lists.check(keys)
        unsure = await self._check_channels(self._channels if keys is None else keys, is_sure=False)
        await self._check_channels(unsure, is_sure=True)
        return bool(self._channels or self._worker.lists.are_followed)

    async def _check_channels(self, keys: Iterable[int], *, is_sure: bool) -> list[int]:
        """Check followed threads.

        Args:
            keys: The threads' keys.
            is_sure: Whether to pull even if all new rows may be this worker's own.

        Returns:
            The threads that were not pulled for this reason.
        """
        # Taken before the turns are read: rows that this worker writes meanwhile must not be
        # mistaken for those of others.
        known = {
            key: (self._channels[key], self._channels[key].known)
            for key in keys
            if key in self._channels
        }
        if not known:
            return []
        rows = {row.key: row for row in await self._worker.store.log.of_keys(list(known))}
        unsure = []
        for key, (before, position) in known.items():
            channel, turn = self._channels.get(key), rows.get(key)
            if channel is None:
                continue
            position = position if channel is before else channel.log_position
            if not is_sure and turn is not None and position < turn.log_position <= channel.known:
                unsure.append(key)
            else:
                await self._check_channel(channel, turn, position)
        return unsure

    async def _check_channel(self, channel: Channel, turn: TurnRow | None, known: int) -> None:
        if turn is None:
            if await self._worker.store.log.is_deleted(channel.key):
                self._worker.thread_deleted(channel.key, channel.thread_id, channel.owner)
            return
        run = channel.run
        # The row may have been read before the run started.
        if run is not None and turn.log_position >= run.begun_at:
            if turn.stop == run.id:
                run.cancel("stopped")
            elif turn.run != run.id and not run.has_ended.is_set():
                run.lose()
        if run is None and turn.log_position < known:
            self._worker.forget(channel)
        if turn.log_position > known:
            await channel.pull(turn.log_position if run is None else 0)

    async def close(self) -> None:
        """Stop watching."""
        if self._changes is not None:
            await self._changes.close()
