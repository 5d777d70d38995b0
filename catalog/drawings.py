"""Our drawings of goods: the files of static/img/goods and what they show."""

from collections.abc import Mapping

from market.errors import N_

DRAWINGS: Mapping[str, str] = {
    "basket": N_("Basket"), "cabbage": N_("Cabbage"), "camellia-oil": N_("Camellia oil"), "chicken": N_("Chicken"),
    "chilli": N_("Chilli"), "cucumber": N_("Cucumber"), "duck": N_("Duck"), "egg": N_("Egg"), "ginger": N_("Ginger"),
    "goose": N_("Goose"), "hairy-gourd": N_("Gourd"), "honey": N_("Honey"), "leafy-greens": N_("Leafy greens"),
    "orange": N_("Orange"), "peanut": N_("Peanut"), "pomelo": N_("Pomelo"), "pork": N_("Pork"),
    "potato": N_("Potato"), "pumpkin": N_("Pumpkin"), "radish": N_("Radish"), "rice": N_("Rice"),
    "shiitake": N_("Mushroom"), "soybean": N_("Soybean"), "sweet-potato": N_("Sweet potato"),
    "tangerine": N_("Tangerine"), "taro": N_("Taro"), "tea": N_("Tea"), "tomato": N_("Tomato"),
    "wood-ear": N_("Wood ear"),
}

# what stands for a shelf on the home page
SHELVES: Mapping[str, str] = {
    "veg": "cabbage", "fruit": "pomelo", "grain": "rice", "bean": "soybean", "meat": "pork", "poultry": "goose",
    "egg": "egg", "oil": "camellia-oil", "drink": "tea", "processed": "chilli",
}


def drawing(name: str) -> str:
    """The file to show: a basket where nothing better is drawn.

    >>> drawing("pomelo"), drawing("")
    ('pomelo', 'basket')
    """
    return name if name in DRAWINGS else "basket"
