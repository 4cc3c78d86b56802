"""Writes the images and other files that an agent generates or refers to."""

from __future__ import annotations

import logging

from agent_framework import Content
from chatkit.types import GeneratedImage, GeneratedImageItem

from ..text import mend_surrogates
from .activity_writer import ActivityWriter
from .data_content import is_image
from .item_stream import ItemStream
from .open_items import OpenImage
from .overrides import resolve
from .response_converter import AgentResponseConverter

logger = logging.getLogger(__name__)


class MediaWriter:
    """Writes images as items, and other files as tasks.

    Args:
        items: The stream to write to.
        converter: Converts each content.
        activity: Writes the tasks.
    """

    def __init__(
        self, items: ItemStream, converter: AgentResponseConverter, activity: ActivityWriter
    ) -> None:
        self._items = items
        self._converter = converter
        self._activity = activity
        self._images: dict[str, OpenImage] = {}
        """Unfinished images, by their IDs in the model's service."""

    async def file(self, content: Content) -> None:
        """Write `hosted_file`, `hosted_vector_store`, or data that is not an image."""
        self._activity.add(await resolve(self._converter.file_to_task(content)))

    async def data(self, content: Content) -> None:
        """Write `data` or `uri`."""
        image = None
        if is_image(content):
            image = await self._image(self._items.new_id("message"), content, None)
        if image is None:
            await self.file(content)
        else:
            self._items.write_done(self._items.item(GeneratedImageItem, "message", image=image))

    async def image_call(self, content: Content) -> None:
        """Write `image_generation_tool_call`."""
        self._open(content.image_id or "")

    async def image_result(self, content: Content) -> None:
        """Write `image_generation_tool_result`, which contains an image or a partial image."""
        outputs = content.outputs
        if isinstance(outputs, Content):
            outputs = [outputs]
        image_id = content.image_id or ""
        for output in outputs or ():
            if not isinstance(output, Content):
                continue
            index = output.additional_properties.get("partial_image_index")
            image = await self._image(image_id or self._items.new_id("message"), output, index)
            if image is None:
                continue
            opened = self._open(image_id)
            if output.additional_properties.get("is_partial_image"):
                progress = self._converter.partial_image_index_to_progress(index or 0)
                opened.update(image, progress)
            else:
                del self._images[image_id]
                opened.close(image)

    def _open(self, image_id: str) -> OpenImage:
        if image_id not in self._images:
            self._images[image_id] = OpenImage(self._items)
        return self._images[image_id]

    async def _image(
        self, image_id: str, content: Content, partial_image_index: int | None
    ) -> GeneratedImage | None:
        url = await resolve(self._converter.image_to_url(image_id, content, partial_image_index))
        if url is None:
            logger.warning("Content declared as an image is not an image: %.100r", content.uri)
            return None
        return GeneratedImage(id=mend_surrogates(image_id), url=mend_surrogates(url))
