"""The index on disk and its reader: what is found, in which order, and what hostile files or people can do."""

import fcntl
import json
import stat
import threading
import time
import zlib
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.search import (
    Document,
    Found,
    Reader,
    SearchBusy,
    SearchUnavailable,
    apply,
    current_key,
    rebuild,
)
from catalog.search import reader as reader_module
from catalog.search.index import MOST_SEGMENTS
from catalog.search.store import POINTER


def product(id, name, text="", villages="", county="431125", *, category="fruit", **other):
    columns = {"supplier": "", "certified": False, "months": frozenset(), "price_fen": 1000, "sold": 0}
    return Document(id, name, text, villages, county, category, **columns | other)


SHELF = [
    product(1, "江永香柚", "Pomelo 夫柚", "上江圩镇 桐口村", sold=50, certified=True, months=frozenset({10, 11, 12})),
    product(2, "江永香芋", "taro 槟榔芋", "桃川镇 大地坪村", category="vegetable", sold=90, months=frozenset({9, 10})),
    product(
        3, "纽荷尔脐橙 5斤装", "Navel oranges 甜橙", "道州 祥霖铺镇", "431124", sold=70, months=frozenset({11, 12, 1})
    ),
    product(4, "五花肉", "黑猪肉 pork belly", "新田县 骥村镇", "431128", category="meat", sold=20),
    product(5, "土豆", "马铃薯 potato 又名洋芋", "蓝山县 湘江源乡", "431127", category="vegetable", sold=30),
    product(6, "柚子蜜汁", "用江永香柚熬制", "江永县", category="drink", sold=500),
    product(
        7, "东安鸡", "散养土鸡", "东安县 紫溪市镇", "431122", category="meat", supplier="朝阳种养专业合作社", sold=10
    ),
    product(8, "血鸭 礼盒", "永州血鸭", "零陵区 富家桥镇", "431102", category="meat", sold=15),
    product(9, "夏橙", "晚熟", "道县 梅花镇", "431124", sold=40, price_fen=300),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(reader_module, "REFRESH_SECONDS", 0)
    return tmp_path / "search"


@pytest.fixture
def shelf(folder):
    rebuild(folder, SHELF, "log 17")
    return Reader(folder)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("江永香柚", [1, 6]),
        ("香柚", [1, 6]),
        ("香芋", [2]),
        ("江永", [2, 1, 6]),
        ("香柚 江永", [1, 6]),
        ("xiangyou", [1, 6]),
        ("xiangyu", [2]),
        ("xiang yu", [2]),
        ("jyxy", [2, 1]),
        ("JYXY", [2, 1]),
        ("jiangyongxiangyou", [1, 6]),
        ("Jiāngyǒng xiāngyòu", [1, 6]),
        ("江永 xiangyu", [2]),
        ("橙", [3, 9]),
        ("脐橙", [3]),
        ("脐橙５斤", [3]),
        ("navel orange", [3]),
        ("五花肉", [4]),
        ("wuhuarou", [4]),
        ("tudou", [5]),
        ("土豆", [5]),
        ("马铃薯", [5]),
        ("malingshu", [5]),
        ("potatoes", [5]),
        ("道县", [9]),
        ("daoxian", [9]),
        ("daozhou", [3]),
        ("上江圩", [1]),
        ("血鸭", [8]),
        ("xueya", [8]),
        ("chaoyang", [7]),
        ("zhaoyang", [7]),
        ("朝阳合作社", [7]),
        ("道县的夏橙", [9]),
        ("榴莲", []),
        ("橙 猪肉", []),
    ],
)
def test_what_people_look_for_is_found_names_first(shelf, query, expected):
    found = shelf.find(query, order="relevance")
    assert list(found.ids) == expected
    assert found.total == len(expected)
    assert sorted(shelf.find(query).ids) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "suggestion"),
    [("脐城", "脐橙"), ("江永香友", "江永香柚"), ("五花柔", "五花肉"), ("雪鸭", "血鸭"), ("马铃署", "马铃薯")],
)
def test_what_is_not_found_is_suggested_by_equal_pinyin(shelf, query, suggestion):
    assert shelf.find(query).total == 0
    assert shelf.suggest(query)[0] == suggestion
    assert shelf.find(suggestion).total > 0


def test_there_is_no_suggestion_where_nothing_sounds_alike(shelf):
    assert shelf.suggest("榴莲") == []
    assert shelf.suggest("***") == []


def test_a_name_that_is_the_query_comes_before_longer_names_that_sold_more(folder):
    names = ["香芋饼", "高山香芋", "香芋", "芋香香芋香"]
    rebuild(folder, [product(n, name, sold=100 - 10 * n) for n, name in enumerate(names)])
    assert Reader(folder).find("香芋", order="relevance").ids == (2, 0, 1, 3)


def test_columns_order_and_pages(shelf):
    assert shelf.find("橙").ids == (3, 9)
    assert shelf.find("橙", order="price").ids == (9, 3)
    assert shelf.find("橙", order="new").ids == (9, 3)
    assert shelf.find("江永", limit=1, offset=1) == replace(shelf.find("江永"), ids=(2,))
    assert shelf.find("江永", limit=0).ids == ()
    assert shelf.find("江永", offset=99).ids == ()


def test_filters_narrow_and_each_facet_leaves_out_its_own_filter(shelf):
    assert shelf.find("江永", category="fruit").ids == (1,)
    assert shelf.find("江永", certified=True).ids == (1,)
    assert shelf.find("江永", certified=False).ids == (6, 2)
    assert shelf.find("江永", month=9).ids == (2,)
    assert shelf.find("橙", county="431124", month=1).ids == (3,)
    assert shelf.find("橙", county="000000").total == 0
    facets = shelf.find("江永", category="fruit").facets
    assert facets.category == {"fruit": 1, "vegetable": 1, "drink": 1}
    assert facets.county == {"431125": 1}


def test_a_query_without_words_finds_nothing_and_says_so(shelf):
    for query in ("", "  ", "*", "()", "\x00\x07", "\ud800"):
        assert shelf.find(query, category="fruit") == Found()


HOSTILE = [
    "a* b*",
    "*",
    "[a TO z]",
    "NOT NOT",
    'r"["',
    "abcdefgh~8",
    "a* b* c* d* e* f* g* h*",
    "name:江永 OR id:1",
    "香" * 10_000,
    "x" * 10_000,
    "xian" * 2_500,
    "a " * 5_000,
    "\ufdfa" * 10_000,
    "".join(map(chr, range(32))) * 300,
    "\ud800\udfff香柚\udc00",
    "'; DROP TABLE products; --",
    "%_\\",
    "\u202e香柚\u0301",
]


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("order", ["sold", "relevance"])
def test_hostile_queries_are_only_words(shelf, query, order):
    shelf.find("xiangyu")
    begun = time.perf_counter()
    shelf.find(query, order=order)
    shelf.suggest(query)
    assert time.perf_counter() - begun < 0.5


@given(query=st.text(max_size=80), month=st.integers(1, 12))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_query(shelf, query, month):
    assert shelf.find(query, month=month, order="relevance").total >= 0
    shelf.suggest(query)


def test_an_unknown_order_is_no_crash_but_no_answer(shelf):
    with pytest.raises(SearchUnavailable):
        shelf.find("橙", order="random")


# Changing the index


def test_a_batch_changes_adds_and_removes_in_one_commit(folder, shelf):
    before = shelf.find("江永")
    batch = [replace(SHELF[0], name="江永沙田柚", sold=999), product(10, "江永夏橙")]
    apply(folder, batch, removed=[2, 404], generation_key="log 20")
    assert before.ids == (6, 2, 1)
    assert shelf.find("江永").ids == (1, 6, 10)
    assert shelf.find("香柚").ids == (6,)
    assert current_key(folder) == "log 20"


def test_the_same_batch_again_changes_nothing(folder, shelf):
    for _ in range(2):
        apply(folder, SHELF[:3], removed=[4])
    assert shelf.find("江永").ids == (6, 2, 1)
    assert shelf.find("五花肉").total == 0
    assert current_key(folder) == "log 17"


def test_an_id_given_twice_counts_once_and_the_last_one_holds(folder):
    rebuild(folder, [product(1, "香芋"), product(1, "香柚")])
    assert Reader(folder).find("香柚").ids == (1,)
    assert Reader(folder).find("香芋").ids == ()
    apply(folder, [product(1, "脐橙"), product(1, "夏橙")])
    assert Reader(folder).find("橙").total == 1


def test_an_empty_index_answers(folder):
    rebuild(folder, [])
    assert Reader(folder).find("香柚").total == 0
    apply(folder, [SHELF[0]])
    assert Reader(folder).find("香柚").ids == (1,)
    apply(folder, [], removed=[1])
    assert Reader(folder).find("香柚").total == 0


def test_segments_stay_few_and_files_of_merged_ones_go(folder):
    rebuild(folder, SHELF)
    for n in range(3 * MOST_SEGMENTS):
        apply(folder, [product(100 + n, f"香芋{n}号")])
    (home,) = folder.glob("g*")
    assert len(list(home.glob("*.seg"))) <= MOST_SEGMENTS
    assert Reader(folder).find("香芋").total == 3 * MOST_SEGMENTS + 1


WORDS = ["香柚", "香芋", "脐橙", "夏橙", "土豆", "血鸭", "江永", "道县", "taro"]
some_words = st.lists(st.sampled_from(WORDS), max_size=3)
documents = st.builds(
    lambda id, name, text, villages, county, category, certified, months, price, sold: Document(
        id, "".join(name), " ".join(text), " ".join(villages), county, category, "", certified, months, price, sold
    ),
    st.integers(1, 12),
    st.lists(st.sampled_from(WORDS[:-1]), min_size=1, max_size=3),
    some_words,
    some_words,
    st.sampled_from(["431124", "431125"]),
    st.sampled_from(["fruit", "meat"]),
    st.booleans(),
    st.frozensets(st.integers(1, 12), max_size=3),
    st.integers(1, 5),
    st.integers(0, 3),
)
batches = st.tuples(st.lists(documents, max_size=4), st.lists(st.integers(1, 12), max_size=3))
questions = st.tuples(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.fixed_dictionaries(
        {
            "category": st.sampled_from([None, "fruit", "tool"]),
            "county": st.sampled_from([None, "431125"]),
            "certified": st.sampled_from([None, True, False]),
            "month": st.sampled_from([None, 3]),
            "order": st.sampled_from(["sold", "price", "new"]),
        }
    ),
)


def brute_force(live, words, *, category, county, certified, month, order):
    """What a plain walk over all documents finds, and in which order."""

    def holds(document, word):
        return word in document.name or word in f"{document.village_names} {document.text}".split()

    hits = [d for d in live if all(holds(d, word) for word in words)]
    hits = [d for d in hits if certified in (None, d.certified) and (month is None or month in d.months)]
    shown = [d for d in hits if category in (None, d.category) and county in (None, d.county_code)]
    key = {"sold": lambda d: (-d.sold, -d.id), "price": lambda d: (d.price_fen, -d.id), "new": lambda d: -d.id}[order]
    counties = Counter(d.county_code for d in hits if category in (None, d.category))
    return [d.id for d in sorted(shown, key=key)], counties


@given(
    first=st.lists(documents, max_size=6), history=st.lists(batches, max_size=11), asked=st.lists(questions, min_size=4)
)
@settings(max_examples=25, deadline=None)
def test_after_any_batches_search_finds_what_a_plain_walk_finds(tmp_path_factory, first, history, asked):
    folder = tmp_path_factory.mktemp("search")
    live = {d.id: d for d in first}
    rebuild(folder, first)
    reader = Reader(folder)
    for changed, removed in history:
        apply(folder, changed, removed)
        live = {id: d for id, d in live.items() if id not in removed} | {d.id: d for d in changed}
    for words, how in asked:
        reader._check_at = 0
        found = reader.find(" ".join(words), **how)
        ids, counties = brute_force(live.values(), words, **how)
        assert list(found.ids) == ids
        assert found.total == len(ids)
        assert found.facets.county == counties


# Readers and the one writer


def test_a_reader_looks_for_changes_once_a_second_only(folder, shelf, monkeypatch):
    shelf.find("榴莲")
    monkeypatch.setattr(reader_module, "REFRESH_SECONDS", 3600)
    shelf.find("榴莲")
    apply(folder, [product(10, "榴莲")])
    assert shelf.find("榴莲").total == 0
    shelf._check_at = 0
    assert shelf.find("榴莲").ids == (10,)


def test_a_second_writer_is_refused_and_the_lock_dies_with_its_holder(folder, shelf):
    with open(folder / "writer.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SearchBusy):
            apply(folder, [SHELF[0]])
        with pytest.raises(SearchBusy):
            rebuild(folder, SHELF)
        assert shelf.find("香柚").total == 2
    apply(folder, [], removed=[1])
    assert shelf.find("香柚").ids == (6,)


def test_readers_are_never_without_an_index_while_it_is_changed_and_rebuilt(folder):
    rebuild(folder, SHELF)
    wrong, done = [], threading.Event()

    def look():
        while not done.is_set():
            try:
                if Reader(folder).find("香柚").ids != (6, 1):
                    wrong.append("lost")
            except SearchUnavailable as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(12):
        apply(folder, [product(200 + n, "东安鸡")])
        if n % 4 == 0:
            rebuild(folder, SHELF)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_threads_share_a_reader_while_the_index_changes(folder, shelf):
    wrong = []

    def look():
        for _ in range(60):
            if shelf.find("xiangyou", order="relevance").ids != (1, 6) or shelf.suggest("脐城") != ["脐橙"]:
                wrong.append("lost")

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(6):
        apply(folder, [product(200 + n, "东安鸡")])
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_failed_rebuild_leaves_the_old_index(folder, shelf):
    def broken():
        yield SHELF[0]
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        rebuild(folder, broken())
    assert shelf.find("香柚").total == 2
    assert current_key(folder) == "log 17"


def test_what_a_dying_writer_left_behind_does_no_harm(folder, shelf, monkeypatch):
    with monkeypatch.context() as dying:
        dying.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(SearchUnavailable, match="power cut"):
            apply(folder, [product(10, "榴莲")])
    assert shelf.find("榴莲").total == 0
    apply(folder, [product(11, "榴莲")])
    assert shelf.find("榴莲").ids == (11,)
    assert Reader(folder).find("榴莲").ids == (11,)


def test_only_the_owner_may_enter_the_folder_and_old_generations_go(folder):
    for _ in range(4):
        rebuild(folder, SHELF)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(list(folder.glob("g*"))) <= 2
    assert not (folder / "scratch").exists()


# Damage

WAYS = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "one byte changed": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "zeros": lambda content: bytes(len(content)),
    "noise": lambda content: bytes(i * 37 % 251 for i in range(len(content))),
    "longer": lambda content: content + b"\x00",
    "gone": None,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pattern", ["*.toc", "*.seg", "names.json", POINTER])
def test_any_damage_is_unavailable_until_rebuilt(folder, way, pattern):
    rebuild(folder, SHELF)
    path = next(folder.rglob(pattern))
    if pattern == POINTER and way == "one byte changed":
        path.write_text(path.read_text().replace('"files"', '"filez"'))
    elif way == "gone":
        path.unlink()
    else:
        path.write_bytes(WAYS[way](path.read_bytes()))
    reader = Reader(folder)
    for act in (lambda: reader.find("香柚"), lambda: reader.suggest("脐城"), lambda: apply(folder, SHELF)):
        with pytest.raises(SearchUnavailable):
            act()
    rebuild(folder, SHELF)
    assert reader.find("香柚").ids == (6, 1)


def test_files_of_another_making_are_unavailable_too(folder):
    rebuild(folder, SHELF)
    pointer = json.loads((folder / POINTER).read_text())
    for name in pointer["files"]:
        noise = b"noise" * 100
        (folder / pointer["folder"] / name).write_bytes(noise)
        pointer["files"][name] = zlib.crc32(noise)
    (folder / POINTER).write_text(json.dumps(pointer))
    with pytest.raises(SearchUnavailable):
        Reader(folder).find("香柚")


def test_an_index_of_another_format_is_unavailable(folder):
    rebuild(folder, SHELF)
    pointer = json.loads((folder / POINTER).read_text())
    (folder / POINTER).write_text(json.dumps(pointer | {"format": pointer["format"] + 1}))
    with pytest.raises(SearchUnavailable):
        Reader(folder).find("香柚")


def test_without_a_folder_there_is_no_answer_and_no_folder_is_made(folder):
    with pytest.raises(SearchUnavailable):
        Reader(folder).find("香柚")
    with pytest.raises(SearchUnavailable):
        current_key(folder)
    assert not folder.exists()
