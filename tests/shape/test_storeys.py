"""The house stands: imports go down only, each decision has one place, names say what a file is about."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STOREYS = ("market", "catalog", "orders")  # from the ground up
SOURCES = [
    *(path for name in STOREYS for path in sorted((ROOT / name).rglob("*.py")) if "migrations" not in path.parts),
    ROOT / "wsgi.py",
]
EDGE_NAMES = re.compile(r"(^|_)(routes|api|cli|jobs)$")
FRAME = {"market.api"}  # like market.web: what the doors are made of
PURE = {"market.money", "market.clock", "market.errors", "market.config", "orders.states", "orders.pricing",
        "orders.attribution"}
PURE_MAY_USE = {"market.errors", "market.clock", "market.money", "market.words", "orders.states"}
# where each decision is made, and what would make it anew elsewhere
ONE_PLACE = {
    # the writer of a Whoosh index is no session
    "commits": (re.compile(r"(?<!\bwriter)\.commit\("), {"market/db.py"}),
    "reads the clock": (
        re.compile(r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time)\("), {"market/clock.py"}),
    "divides money or weight": (
        re.compile(r"(?:/|//|divmod\(.*,)\s*(?:100|1_?000)(?:\.0)?\b(?!_)"), {
            "market/money.py",
            "orders/income/document_sums.py",  # the audit says the rounding again, in SQL, and compares
            "orders/demo/year.py",  # invented quantities, in percent and per hundred guests
        }),
    "talks to the card provider": (
        re.compile(r"^\s*(?:import|from) stripe\b"), {
            "orders/paying/gateway.py",
            # the practice provider takes from it how requests are checked and webhooks signed
            "orders/practice/api.py", "orders/practice/bells.py", "orders/practice/checking.py",
        }),
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path): path for path in SOURCES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of ours that a module imports, wherever in it the import stands."""
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(tree(NAMES[module])):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found = [f"{base}.{a.name}" if f"{base}.{a.name}" in NAMES else base for a in node.names]
        else:
            continue
        yield from (name for name in found if name in NAMES and name != module)


def storey(module: str) -> int:
    top = module.partition(".")[0]
    return STOREYS.index(top) if top in STOREYS else len(STOREYS)


def is_edge(module: str) -> bool:
    return module not in FRAME and (module == "wsgi" or bool(EDGE_NAMES.search(module.rpartition(".")[2])))


@pytest.mark.parametrize("module", NAMES)
def test_imports_go_down_only(module: str) -> None:
    assert [name for name in imports(module) if storey(name) > storey(module)] == []


@pytest.mark.parametrize("module", NAMES)
def test_only_doors_know_doors(module: str) -> None:
    if not is_edge(module):
        assert [name for name in imports(module) if is_edge(name)] == []


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_rules_need_the_standard_library_only(module: str) -> None:
    foreign = {
        name.partition(".")[0]
        for node in ast.walk(tree(NAMES[module])) for name in names_imported(node)
    } - set(sys.stdlib_module_names) - set(STOREYS)
    assert foreign == set()
    assert imports(module) <= PURE_MAY_USE


def names_imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_no_imports_in_circles() -> None:
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " imports ".join((*way[way.index(module):], module))
        if module not in done:
            for name in imports(module):
                visit(name, (*way, module))
            done.add(module)

    for module in NAMES:
        visit(module, ())


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_stand_at_the_top(path: Path) -> None:
    hidden = [
        node.lineno
        for function in ast.walk(tree(path)) if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


@pytest.mark.parametrize("decision", ONE_PLACE)
def test_each_decision_is_made_in_one_place(decision: str) -> None:
    pattern, places = ONE_PLACE[decision]
    for path in SOURCES:
        found = [f"{number}: {line.strip()}" for number, line in code_lines(path) if pattern.search(line)]
        where = path.relative_to(ROOT).as_posix()
        assert where in places or found == [], f"{where} {decision}"


def code_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines without comments and without texts (a docstring may speak of 1/100)."""
    lines = path.read_text().splitlines()
    texts = {
        number for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for number, line in enumerate(lines, 1):
        if number not in texts:
            yield number, line.partition("  # ")[0]


def test_the_one_place_is_looked_for_rightly() -> None:
    divides = ONE_PLACE["divides money or weight"][0]
    assert all(map(divides.search, ("fen / 100", "fen // 100", "grams/1000", "divmod(fen, 100)", "x // 1_000")))
    assert not any(map(divides.search, ("x // 10_000", "x / 10", "x * 100", "x % 1_000")))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_verbs_and_models_do_not_know_the_web(path: Path) -> None:
    """Verbs are the files that write: they take a session from db and never look at a request."""
    if path.parent.name in {"buying", "delivering", "paying", "income"} and not is_edge(name_of(path)):
        assert not [name for node in ast.walk(tree(path)) for name in names_imported(node) if name.startswith("flask")]


def test_names_say_what_a_file_is_about() -> None:
    vague = re.compile(r"util|helper|manager|misc|common")
    files = [p.relative_to(ROOT).as_posix() for top in (*STOREYS, "tests") for p in (ROOT / top).rglob("*.py")]
    assert [name for name in files if vague.search(Path(name).stem)] == []
