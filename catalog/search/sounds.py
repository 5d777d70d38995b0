"""How the Chinese in an index sounds: which of its characters and pairs a typed pinyin may mean."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, pairwise, product

from pypinyin import lazy_pinyin

LONGEST_PINYIN = 48  # letters
MOST_SPLITS = 8  # ways to split one pinyin into syllables that are tried, as xian and xi'an
MOST_SPELLINGS = 20

# Characters of goods and places that people read or type in more than one way. All readings of a dictionary would be
# too many: 洋 was once also xiang, and 洋芋 is not what xiangyu looks for.
OTHER_READINGS = {
    entry[0]: tuple(entry[1:].split("/"))
    for entry in (  # noqa: SIM905  one string reads as the table it is
        "长chang/zhang 朝chao/zhao 重chong/zhong 乐le/yue 行xing/hang 降jiang/xiang 传chuan/zhuan 藏cang/zang "
        "曾zeng/ceng 单dan/shan 解jie/xie 区qu/ou 盛sheng/cheng 石shi/dan 大da/dai 六liu/lu 堡bao/bu/pu 泊bo/po "
        "圩xu/wei 洞dong/tong 番fan/pan 血xue/xie 熟shu/shou 核he/hu 仔zi/zai 参shen/can 芥jie/gai 荠ji/qi "
        "蔓man/wan 薄bo/bao 剥bo/bao 壳ke/qiao 露lu/lou 茄qie/jia 蛤ge/ha 桔ju/jie 柏bai/bo 车che/ju 种zhong/chong "
        "调tiao/diao 便bian/pian 畜xu/chu 会hui/kuai 都du/dou 合he/ge 阿a/e 莎sha/suo 绿lv/lu 女nv/nu 吕lv/lu"
    ).split()
}

Spelling = tuple[frozenset[str], ...]  # a document says it if it holds one term of every set


class Sounds:
    """The characters and pairs of one index by pinyin and by initials."""

    def __init__(self, grains: Iterable[str]) -> None:
        by_sound: dict[tuple[str, ...], set[str]] = defaultdict(set)
        by_initials: dict[str, set[str]] = defaultdict(set)
        for grain in grains:
            for sound in readings(grain):
                by_sound[sound].add(grain)
                by_initials["".join(syllable[0] for syllable in sound)].add(grain)
        self._by_sound = {sound: frozenset(found) for sound, found in by_sound.items()}
        self._by_initials = {letters: frozenset(found) for letters, found in by_initials.items()}
        self._syllables = {syllable for sound in by_sound for syllable in sound}
        self._longest = max(map(len, self._syllables), default=0)

    def full(self, typed: str, alone: bool) -> list[Spelling]:
        """What a full pinyin without tones may mean: xiangyu is {香芋, …}, jiangyongxian {江永, …} and {永县, …}.

        `alone` says whether one syllable may stand for one character.
        """
        spellings = []
        for syllables in islice(self._splits(typed), MOST_SPLITS) if len(typed) <= LONGEST_PINYIN else ():
            keys: list[tuple[str, ...]] = [*pairwise(syllables)] or ([syllables] if alone else [()])
            if all(key in self._by_sound for key in keys):
                spellings.append(tuple(self._by_sound[key] for key in keys))
        return spellings

    def short(self, typed: str) -> list[Spelling]:
        """What initials may mean: jyxy is {江永, …}, {永香, …} and {香柚, 香芋, …}."""
        keys = [first + second for first, second in pairwise(typed)]
        if not keys or len(typed) > LONGEST_PINYIN or not all(key in self._by_initials for key in keys):
            return []
        return [tuple(self._by_initials[key] for key in keys)]

    def like(self, word: str) -> list[str]:
        """Words of this index's characters and pairs that sound like a Chinese word, which itself is left out."""
        if len(word) == 1:
            return sorted(self._alike(word) - {word})
        chains = sorted(self._alike(word[:2]))
        for i in range(1, len(word) - 1):
            following = sorted(self._alike(word[i : i + 2]))
            chains = [chain + pair[1] for chain in chains for pair in following if pair[0] == chain[-1]]
            chains = chains[:MOST_SPELLINGS]
        return [chain for chain in chains if chain != word]

    def _alike(self, grain: str) -> frozenset[str]:
        return frozenset().union(*(self._by_sound.get(sound, ()) for sound in readings(grain)))

    def _splits(self, typed: str) -> Iterator[tuple[str, ...]]:
        """The ways to split a pinyin into known syllables, long ones first; dead ends are known beforehand."""
        ends_well = {len(typed)}
        for start in reversed(range(len(typed))):
            if any(end in ends_well for end in self._ends(typed, start)):
                ends_well.add(start)

        def following(start: int) -> Iterator[tuple[str, ...]]:
            if start == len(typed):
                yield ()
                return
            for end in self._ends(typed, start):
                if end in ends_well:
                    for rest in following(end):
                        yield (typed[start:end], *rest)

        return following(0) if typed and 0 in ends_well else iter(())

    def _ends(self, typed: str, start: int) -> list[int]:
        ends = range(min(start + self._longest, len(typed)), start, -1)
        return [end for end in ends if typed[start:end] in self._syllables]


@lru_cache(maxsize=65_536)
def readings(grain: str) -> tuple[tuple[str, ...], ...]:
    """How one or two characters may be read, as syllables without tones: 朝阳 is zhao yang and chao yang."""
    within = lazy_pinyin(grain, errors=list)  # type: ignore[arg-type]  # one item for each unknown character
    choices = [{usual, *OTHER_READINGS.get(c, ())} for usual, c in zip(within, grain, strict=True)]
    return tuple(product(*choices))
