"""What the page 'My files' lists."""

from sqlalchemy import func, select

from market import db, paging
from market.access import Visitor
from market.paging import Page
from orders.exports import asking


def files(by: Visitor, page: int) -> Page:
    """The visitor's own files, the newest first."""
    mine = asking.owned_by(by)
    total = db.session().scalar(select(func.count()).select_from(asking.FILES).where(mine)) or 0
    return paging.read(select(asking.FILES).where(mine).order_by(asking.FILES.c.id.desc()), total, page)
