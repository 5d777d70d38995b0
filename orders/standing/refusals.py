"""What speaks against a plan, a change of it, or one of its runs."""

from market.errors import N_, Conflict, MarketError


class NoGoods(MarketError):
    """A plan without goods orders nothing."""

    status = 422
    code = "no_goods"
    text = N_("There is nothing in it yet: say what is wanted, and on which weekday.")


class OwnerGone(Conflict):
    """The person in whose name a plan orders may not order for the unit any more."""

    code = "owner_gone"
    text = N_("%(name)s, in whose name this standing order runs, may not order for the unit any more. Somebody who may "
              "has to take it over.")


class YearUsedUp(Conflict):
    """The plan's yearly maximum would be passed."""

    code = "year_used_up"
    text = N_("The yearly maximum of ¥%(limit)s is used up: ¥%(spent)s so far, ¥%(run)s for this day.")


class PlanChanged(Conflict):
    """What the plan holds is not what was approved or shown."""

    code = "plan_changed"
    text = N_("The standing order has changed since it was shown or approved. Please look again.")


class NotItsDay(Conflict):
    """The day is not one of the coming days of the plan."""

    code = "not_its_day"
    text = N_("Nothing will be ordered for this day, or it is too late to change it.")
