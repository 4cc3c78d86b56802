"""Attachment errors, each with an HTTP status and a message for the user."""

from __future__ import annotations

from typing import ClassVar

from chatkit.store import NotFoundError


class AttachmentError(Exception):
    """The base class of attachment errors.

    Attributes:
        status: The HTTP status.
        message: A message for the user. It contains no names, paths or credentials.
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
    """The store does not accept files of this type, or the file does not have the claimed type."""

    status = 415
    message = "Files of this type cannot be attached."


class AttachmentSizeMismatchError(AttachmentError):
    """The file's size is not as announced: the upload was cut off, or the claim was false."""

    message = "The file did not arrive completely."


class AttachmentLimitReachedError(AttachmentError):
    """The owner has too many attachments, or too many unsent ones."""

    status = 429
    message = "Too many files are waiting to be sent. Send or remove some first."


class UnknownVisitorError(AttachmentError):
    """A browser without a cookie cannot upload: each request would have a new owner."""

    status = 403
    message = "This chat does not know your browser yet. Allow cookies and reload the chat."


class AttachmentAlreadyUploadedError(AttachmentError):
    """The attachment's bytes have already been uploaded."""

    status = 409
    message = "This file has already been uploaded."


class AttachmentNotUploadedError(AttachmentError):
    """The attachment's bytes have not arrived yet."""

    status = 409
    message = "The upload of this file is not finished."


class AttachmentInUseError(AttachmentError):
    """Another thread has the attachment, and would lose it when either thread is deleted."""

    status = 409
    message = "This file belongs to another chat. Attach it again."


class AttachmentLinkInvalidError(AttachmentError):
    """A signed URL has expired, belongs to another attachment, or was not signed by us."""

    status = 403
    message = "This link is not valid or has expired."


class AttachmentNotFoundError(AttachmentError, NotFoundError):
    """The attachment does not exist or belongs to another owner: errors do not tell which."""

    status = 404
    message = "There is no such file."


class AttachmentStorageError(AttachmentError):
    """The storage failed: it is full, unreachable or denies access. The cause has details."""

    status = 503
    message = "The file storage does not work at the moment. Try again later."
