"""How texts and queries become terms, and what a pinyin may mean."""

import time

import pytest

from catalog.search.sounds import Sounds
from catalog.search.words import LONGEST_QUERY, MOST_WORDS, Words, joined, numbers, pairs, runs

WORDS = Words(["江永香柚", "血鸭"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("江永香柚 5斤装", ["江永香柚", "5", "斤装"]),
        ("５ＫＧ Ｐｏｍｅｌｏ", ["5", "kg", "pomelo"]),
        ("Dàozhōu lǜchá", ["daozhou", "lvcha"]),
        ("脐橙\u200b\x00\x1b[31m·（一级）", ["脐橙", "31", "m", "一级"]),
        ("\ud800香\udfff芋", ["香芋"]),
        ("a* b* [a TO z] NOT ~8", ["a", "b", "a", "to", "z", "not", "8"]),
        ("*?:()\"'\\", []),
        ("", []),
    ],
)
def test_only_letters_digits_and_chinese_are_words(text, expected):
    assert runs(text) == expected


def test_a_chinese_word_is_the_sum_of_its_pairs():
    assert pairs("五花肉") == ("五花", "花肉")
    assert pairs("橙") == ("橙",)
    assert pairs("") == ()


def test_a_long_query_word_is_cut_into_the_words_that_fill_it():
    assert WORDS.of_query("江永香柚").words == ("江永", "香柚")
    assert WORDS.of_query("五花肉").words == ("五花肉",)
    assert WORDS.of_query("道县的血鸭").words == ("道县", "血鸭")


def test_a_query_keeps_to_its_limits():
    assert len(WORDS.of_query(" ".join("abcdefghijkl")).words) == MOST_WORDS
    assert sum(map(len, WORDS.of_query("香" * 10_000).phrase)) <= 2 * LONGEST_QUERY
    assert WORDS.of_query("的").words == ("的",)
    assert WORDS.of_query(" \t*").plans == ()


def test_neighbouring_latin_words_may_be_one_pinyin():
    assert joined(["jiang", "yong", "香芋", "xiang", "you", "5"]) == ["jiangyong", "香芋", "xiangyou", "5"]
    assert [len(plan) for plan in WORDS.of_query("jiang yong").plans] == [1, 2]
    assert len(WORDS.of_query("jiangyong").plans) == 1


def test_a_local_name_is_also_asked_for_unbroken():
    assert WORDS.of_query("上江圩").plans[-1] == (("上江", "江圩"),)


def test_singular_and_plural_meet():
    assert {"orange", "oranges"} <= {*numbers("orange")} & {*numbers("oranges")}
    assert "potato" in {*numbers("potatoes")} and "potatoes" in {*numbers("potato")}
    assert "berry" in {*numbers("berries")} and "berries" in {*numbers("berry")}
    assert {*numbers("5")} == {"5"}


def test_a_text_gives_only_pairs_inside_words():
    terms = WORDS.of_document("香芋", "", "本地主食")
    assert "地主" not in terms.text
    assert {"本地", "主食"} <= terms.text


def test_a_name_gives_every_pair_however_it_is_spaced():
    assert {"江永", "永香", "香芋", "橙", "=江永香芋橙"} <= WORDS.of_document("江永 香芋·橙", "", "").name


def test_pinyin_means_what_sounds_alike_in_the_index():
    sounds = Sounds(["江永", "永香", "香芋", "香柚", "西安", "县", "橙"])
    assert sounds.full("xiangyu", alone=False) == [(frozenset({"香芋"}),)]
    assert sounds.full("jiangyongxiangyou", alone=False) == [
        (frozenset({"江永"}), frozenset({"永香"}), frozenset({"香柚"}))
    ]
    assert sounds.short("jyxy") == [(frozenset({"江永"}), frozenset({"永香"}), frozenset({"香芋", "香柚"}))]
    assert sounds.full("xian", alone=True) == [(frozenset({"县"}),), (frozenset({"西安"}),)]
    assert sounds.full("xian", alone=False) == [(frozenset({"西安"}),)]
    assert sounds.full("nihao", alone=True) == []
    assert sounds.short("q") == []


def test_both_readings_of_a_character_are_heard():
    sounds = Sounds(["朝阳", "乐昌", "道县", "女书"])
    for typed in ("zhaoyang", "chaoyang", "lechang", "yuechang", "daoxian", "nvshu", "nushu"):
        assert len(sounds.full(typed, alone=False)) == 1, typed


@pytest.mark.parametrize(
    "grain", ["\U00020000\U00020001", "𠮷香", "香\U0002a6d6", "々", "〇", "人々", "\u4dbf\u9fff", "㐀"]
)
def test_a_character_without_a_known_reading_is_no_error(grain):
    assert Sounds([grain, "香芋"]).full("xiangyu", alone=True) == [(frozenset({"香芋"}),)]


def test_readings_that_nobody_uses_are_not_heard():
    assert Sounds(["洋芋"]).full("xiangyu", alone=False) == []


def test_words_of_equal_sound_are_known():
    sounds = Sounds(["脐橙", "五花", "花肉", "柔", "肉"])
    assert sounds.like("脐城") == ["脐橙"]
    assert sounds.like("五花柔") == ["五花肉"]
    assert sounds.like("脐橙") == []
    assert sounds.like("飞机") == []


@pytest.mark.parametrize("typed", ["xian" * 12, "a" * 10_000, "xianx" * 9, ""])
def test_many_ways_to_split_a_pinyin_take_no_time(typed):
    sounds = Sounds(["西安", "县", "安西", "县西", "啊啊", "县县"])
    begun = time.perf_counter()
    sounds.full(typed, alone=True)
    sounds.short(typed)
    assert time.perf_counter() - begun < 0.5
