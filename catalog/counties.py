"""The counties of Yongzhou as the shop front names them: by the six digits of their shape on the map."""

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "431102": "Lingling", "431103": "Lengshuitan", "431122": "Dong'an", "431123": "Shuangpai", "431124": "Daoxian",
    "431125": "Jiangyong", "431126": "Ningyuan", "431127": "Lanshan", "431128": "Xintian", "431129": "Jianghua",
    "431181": "Qiyang",
}


def english(map_county: str | None) -> str:
    """A county's name in pinyin, or nothing for a county of elsewhere.

    >>> english("431125")
    'Jiangyong'
    """
    return ENGLISH.get(map_county or "", "")
