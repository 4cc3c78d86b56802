"""What can be wrong with an attachment, each with an HTTP status and a text for the person."""

from __future__ import annotations

from typing import ClassVar

from chatkit.store import NotFoundError


class AttachmentError(Exception):
    """Something is wrong with an attachment.

    Attributes:
        status: The HTTP status that says it.
        message: What a person may read. It holds no names, paths or credentials.
    """

    status: ClassVar[int] = 400
    message: str = "The file could not be accepted."

    def __init__(self, message: str | None = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(self.message)


class AttachmentTooLargeError(AttachmentError):
    """The file is larger than the store allows."""

    status = 413
    message = "The file is too large."


class AttachmentTypeRefusedError(AttachmentError):
    """The store does not accept files of this type, or the file is not of the type it claims."""

    status = 415
    message = "Files of this type cannot be attached."


class AttachmentSizeMismatchError(AttachmentError):
    """Not as many bytes came as were announced: an upload was cut off, or its size was a lie."""

    message = "The file did not arrive whole."


class AttachmentLimitReachedError(AttachmentError):
    """The owner has too many attachments, or too many that no message holds yet."""

    status = 429
    message = "Too many files are waiting to be sent. Send or remove some first."


class UnknownVisitorError(AttachmentError):
    """A browser without a cookie wants to upload: each time it would be another owner."""

    status = 403
    message = "This chat does not know your browser yet. Allow cookies, and load the chat again."


class AttachmentAlreadyUploadedError(AttachmentError):
    """The bytes of this attachment are there already."""

    status = 409
    message = "This file has been uploaded already."


class AttachmentNotUploadedError(AttachmentError):
    """The bytes of this attachment have not come yet."""

    status = 409
    message = "The upload of this file is not finished."


class AttachmentLinkInvalidError(AttachmentError):
    """A signed URL has expired, belongs to another attachment, or was not signed by us."""

    status = 403
    message = "This link is not valid, or no longer."


class AttachmentNotFoundError(AttachmentError, NotFoundError):
    """There is no such attachment, or it is another owner's: the two cannot be told apart."""

    status = 404
    message = "There is no such file."


class AttachmentStorageError(AttachmentError):
    """The storage failed: full, unreachable, or not permitted. Its cause says which."""

    status = 503
    message = "The file storage does not work at the moment."
