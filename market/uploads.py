"""Files sent with a form: checked and re-encoded before any transaction begins, kept inside it."""

from dataclasses import dataclass

from flask import current_app, request
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from market import files
from market.errors import N_, InvalidInput
from market.files import StoredFile
from market.schemas import REQUIRED


@dataclass(frozen=True)
class Sent:
    """An upload that may be kept: bytes, content type and suffix as files.prepare made them, and its own name."""

    prepared: tuple[bytes, str, str]
    name: str

    @property
    def content(self) -> bytes:
        return self.prepared[0]

    def keep(self, visibility: str = "parties") -> StoredFile:
        """Keep it for the visitor's organisation, in the caller's transaction."""
        return files.keep(self.prepared, self.name, visibility, current_user,
                          current_app.extensions["sijin"].files_dir)


def sent(field: str, *, pictures_only: bool = False) -> Sent | None:
    """What was sent in a field, None where nothing was. Raises InvalidInput at the field."""
    file = request.files.get(field)
    return _checked(file, field, pictures_only) if file is not None and file.filename else None


def needed(field: str, text: str = REQUIRED, *, pictures_only: bool = False) -> Sent:
    """What was sent in a field that may not stay empty. Raises InvalidInput at the field."""
    found = sent(field, pictures_only=pictures_only)
    if found is None:
        raise InvalidInput({field: [text]})
    return found


def pictures(field: str, most: int) -> list[Sent]:
    """All photos that were sent in a field, at most so many. Raises InvalidInput at the field."""
    chosen = [file for file in request.files.getlist(field) if file.filename]
    if len(chosen) > most:
        raise InvalidInput({field: [TooMany(most=most)]})
    return [_checked(file, field, pictures_only=True) for file in chosen]


class TooMany(files.FileRefused):
    """More pictures than a form takes."""

    text = N_("At most %(most)s photos at once.")


def _checked(file: FileStorage, field: str, pictures_only: bool) -> Sent:
    try:
        prepared = files.prepare(file.read(files.MAX_BYTES + 1))
        if pictures_only and not prepared[1].startswith("image/"):
            raise files.FileRefused()
    except files.FileRefused as refusal:
        raise InvalidInput({field: [refusal]}) from refusal
    return Sent(prepared, file.filename or "")
