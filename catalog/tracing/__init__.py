"""From the field to the canteen: certificates of conformity, what happened to a lot, its code on the box, recalls."""
