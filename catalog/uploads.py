"""What is sent with a goods form: checked before the transaction, kept inside it."""

from catalog.review import pictures
from catalog.review.checks import Photo, Voucher
from market import uploads


class SentGoods:
    """The photo and the price voucher of a goods form."""

    def __init__(self, voucher_link: str) -> None:
        self._link = voucher_link
        self._photo, self._voucher = uploads.sent("photo", pictures_only=True), uploads.sent("voucher")
        self._look = pictures.look_of(self._photo.content) if self._photo else None

    def photo(self) -> Photo | None:
        return Photo(self._photo.keep("public"), self._look) if self._photo else None

    def voucher(self) -> Voucher | None:
        """Buyers never see it: it is the co-operative's own, and its officials'."""
        if not self._link and self._voucher is None:
            return None
        return Voucher(self._link, self._voucher.keep("own") if self._voucher else None)
