"""The last step passed: the applicant becomes a supplier and its person the manager."""

from sqlalchemy import select, update

from catalog.entry import standing
from catalog.entry.contents import Contents
from market import clock, db, journal
from market.access import Visitor
from market.parties import Membership, Organisation
from market.users import User


def admit(said: Contents, by: Visitor | None) -> None:
    """Take over what the offices vouched for. From now on the supplier may list goods."""
    application = said.application
    application.state = "admitted"
    supplier = db.session().get_one(Organisation, application.supplier_id, with_for_update=True)
    supplier.name, supplier.short_name = application.name, application.short_name or application.name
    supplier.supplier_type, supplier.credit_code = application.supplier_type, application.credit_code
    supplier.division_id, supplier.phone = application.village_id, application.mobile
    supplier.bank_name, supplier.bank_account = application.bank_name, application.bank_account
    db.session().flush()
    _make_manager(application.supplier_id)
    _let_in_by_mobile(application.applicant_id, application.mobile)
    standing.stand(supplier, "active", clock.today(), "", by)
    journal.record("application.admitted", "application", application.id, by, supplier_id=supplier.id)


def _make_manager(supplier_id: int) -> None:
    db.session().execute(update(Membership).where(Membership.organisation_id == supplier_id,
                                                  Membership.role == "applicant").values(role="manager"))


def _let_in_by_mobile(user_id: int, mobile: str) -> None:
    """The township has seen whose number it is: from now on it logs in too, unless it is somebody else's already."""
    user = db.session().get_one(User, user_id)
    if user.mobile is None and db.session().scalar(select(User.id).where(User.mobile == mobile)) is None:
        user.mobile = mobile
        db.session().flush()
