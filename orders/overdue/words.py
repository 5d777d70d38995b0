"""What reminders say; the same sentence in the site, in the mail and in a chat."""

from market.errors import N_

UNIT = N_("Payments: %(late)s past their day (¥%(late_yuan)s), %(soon)s due within 7 days (¥%(soon_yuan)s). "
          "The first day of payment among them: %(day)s.")
SUPPLIER = N_("Past their day of payment: ¥%(yuan)s, number of orders %(orders)s, of units %(units)s. "
              "You can remind them in a friendly way.")
FINANCE = N_("In your area ¥%(yuan)s has been due to co-operatives for 30 days and longer: number of units %(units)s, "
             "of orders %(orders)s.")
ACCEPT = N_("Delivered and waiting to be accepted: %(orders)s; the oldest came on %(day)s. The time for payment runs "
            "without it.")
ACCEPT_SUPPLIER = N_("With the canteens and not accepted: %(orders)s; the oldest came on %(day)s. The time for payment "
                     "runs without it.")
ACCEPT_OFFICE = N_("In your area deliveries are not accepted a week and longer after acceptance was due: %(orders)s, "
                   "number of units %(units)s.")
ASKED = N_("%(supplier)s asks you in a friendly way to look at your payments: number of orders %(orders)s, together "
           "¥%(yuan)s, the oldest to be paid by %(day)s.")
SUBJECT = N_("Payments and acceptance: a reminder")
ESTIMATE = N_("Interest is an estimate, never a claim: 0.05 percent a day on what is open, where no rate was agreed "
              "(Regulations on payments to small and medium enterprises, State Council order 802, in force since "
              "1 June 2025). The order binds agencies and public institutions; for other units the figure only "
              "compares.")
COUNTED = N_("Late is what is open after its last day of payment; transfers that are announced count until the "
             "co-operative has found them.")
