"""Photos and papers sent with a form: checked and re-encoded before any transaction begins, kept inside it."""

from flask import current_app, request
from flask_login import current_user

from catalog.review import pictures
from catalog.review.checks import Photo, Voucher
from market import files
from market.errors import InvalidInput
from market.files import StoredFile

Prepared = tuple[bytes, str, str]


def sent(field: str, pictures_only: bool) -> Prepared | None:
    """What was sent in a field. Raises InvalidInput at the field."""
    file = request.files.get(field)
    if file is None or not file.filename:
        return None
    try:
        prepared = files.prepare(file.read(files.MAX_BYTES + 1))
        if pictures_only and not prepared[1].startswith("image/"):
            raise files.FileRefused()
    except files.FileRefused as refusal:
        raise InvalidInput({field: [refusal]}) from refusal
    return prepared


class SentGoods:
    """The photo and the price voucher of a goods form; made before the transaction, kept inside it."""

    def __init__(self, voucher_link: str) -> None:
        self._link = voucher_link
        self._photo, self._voucher = sent("photo", pictures_only=True), sent("voucher", pictures_only=False)
        self._look = pictures.look_of(self._photo[0]) if self._photo else None

    def photo(self) -> Photo | None:
        return Photo(_keep(self._photo, "photo", "public"), self._look) if self._photo else None

    def voucher(self) -> Voucher | None:
        """Buyers never see it: it is the co-operative's own, and its officials'."""
        if not self._link and self._voucher is None:
            return None
        return Voucher(self._link, _keep(self._voucher, "voucher", "own") if self._voucher else None)


def _keep(prepared: Prepared, field: str, visibility: str) -> StoredFile:
    name = request.files[field].filename or ""
    return files.keep(prepared, name, visibility, current_user, current_app.extensions["sijin"].files_dir)
