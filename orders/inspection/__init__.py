"""The purchase inspection record (进货查验记录): one book of what came into a kitchen, kept as the law asks."""
