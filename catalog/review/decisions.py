"""What the county decides about a listing: approve it, send it back with reasons, take goods off the shelf again."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, select

from catalog import products
from catalog.models import Product
from catalog.review import listing
from catalog.review.models import ListingReview
from catalog.review.references import need_office
from market import clock, db, journal, outbox
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.four_eyes import need_outsider
from market.places import Division, lies_in

# sentences that a reviewer only has to tick
REASONS: Mapping[str, str] = {
    "pity": N_("The words ask for pity. Say what is good about the goods instead."),
    "special": N_("The words promise a special supply. Please leave that out."),
    "price": N_("The price lies well above like goods. Lower it, or send a price voucher that explains it."),
    "voucher": N_("The price voucher is missing or does not show the same goods."),
    "unit": N_("The sales unit or its weight does not fit the goods."),
    "duplicate": N_("The same goods are already listed. Please change those instead."),
    "picture": N_("The picture does not show your own goods. Please send a photo of yours."),
    "origin": N_("The village is not where these goods grow. Please name the right one."),
    "words": N_("The description says too little, or something that is not true."),
}


class AlreadyDecided(Conflict):
    """Somebody else was quicker, or the supplier sent something newer."""

    code = "already_decided"
    text = N_("This has been decided already, or the co-operative has sent something newer.")


def in_area(by: Visitor) -> ColumnElement[bool]:
    """The condition that a Product's village lies in an official's area."""
    return db.table(Product).c.village_id.in_(select(Division.id).where(lies_in(by.division_id)))


def locked(review_id: int, by: Visitor) -> tuple[ListingReview, Product]:
    """A review of the official's area with its product, both locked. Raises NotFound for any other."""
    product_id = db.session().scalar(
        select(ListingReview.product_id).join(Product, Product.id == ListingReview.product_id)
        .where(ListingReview.id == review_id, in_area(by)))
    if product_id is None:
        raise NotFound()
    product = _locked_product(product_id)
    review = db.session().scalars(select(ListingReview).where(ListingReview.id == review_id).with_for_update()
                                  .execution_options(populate_existing=True)).one()
    return review, product


def approve(review_id: int, by: Visitor, remark: str = "") -> ListingReview:
    """The goods go on the shelf, or the edit holds from now on. Raises AlreadyDecided, OwnCooperative, NotFound."""
    review, product = _to_decide(review_id, by)
    if review.kind == "edit" and review.proposed:
        wanted = review.proposed
        listing.apply(product, wanted, wanted.get("photo_id"), by)
    else:
        products.move_to(product, "listed", by)
    return _decide(review, product, "approved", [], remark, by)


def send_back(review_id: int, reasons: Sequence[str], remark: str, by: Visitor) -> ListingReview:
    """Back to the co-operative, with what has to be mended; what was typed is kept. Raises InvalidInput without any."""
    need_reasons(reasons, remark)
    review, product = _to_decide(review_id, by)
    if review.kind == "new":
        products.move_to(product, "returned", by)
    return _decide(review, product, "returned", reasons, remark, by)


def take_off(product_id: int, reasons: Sequence[str], remark: str, by: Visitor) -> ListingReview:
    """Goods on the shelf go back to the co-operative until they are mended; orders already placed go on."""
    need_reasons(reasons, remark)
    need_office(by)
    if db.session().scalar(select(Product.id).where(Product.id == product_id, in_area(by))) is None:
        raise NotFound()
    product = _locked_product(product_id)
    need_outsider(product.supplier_id, by)
    if product.state not in ("listed", "hidden"):
        raise AlreadyDecided()
    listing.close_waiting([product.id], by)
    now = clock.now()
    review = ListingReview(product_id=product.id, kind="taken_off", findings=[], proposed=None, submitted_by=by.id,
                           submitted_at=now, decision="waiting", reasons=[])
    db.session().add(review)
    products.move_to(product, "returned", by)
    return _decide(review, product, "returned", reasons, remark, by)


def need_reasons(reasons: Sequence[str], remark: str) -> None:
    """Raises InvalidInput where nothing is said, or something that is not one of the sentences."""
    if not set(reasons) <= REASONS.keys():
        raise InvalidInput({"reasons[]": [N_("Please choose one of the list.")]})
    if not reasons and not remark:
        raise InvalidInput({"reasons[]": [N_("Say at least one thing that has to be mended.")]})


def _to_decide(review_id: int, by: Visitor) -> tuple[ListingReview, Product]:
    need_office(by)
    review, product = locked(review_id, by)
    need_outsider(product.supplier_id, by)
    if review.decision != "waiting":
        raise AlreadyDecided()
    return review, product


def _decide(review: ListingReview, product: Product, decision: str, reasons: Sequence[str], remark: str,
            by: Visitor) -> ListingReview:
    review.decision, review.decided_by, review.decided_at = decision, by.id, clock.now()
    review.reasons, review.remark = list(reasons), remark
    db.session().flush()
    journal.record("listing." + decision, "product", product.id, by, review=review.id, reasons=list(reasons),
                   reason=remark)
    outbox.enqueue("listing.decided", {"review_id": review.id})
    return review


def _locked_product(product_id: int) -> Product:
    return db.session().scalars(select(Product).where(Product.id == product_id).with_for_update()
                                .execution_options(populate_existing=True)).one()
