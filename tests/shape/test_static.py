"""What the product sends to the browser keeps to its own rules: known scripts, one palette, nothing inline."""

import base64
import hashlib
import re
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CSS = sorted((ROOT / "static/css").rglob("*.css"))
TEMPLATES = [path for path in sorted((ROOT / "templates").rglob("*.html")) if "mail" not in path.parts]
DRAWINGS = sorted((ROOT / "static/img").rglob("*.svg"))

TABLE_ROW = re.compile(r"^\| `(?P<file>[^`]+)` \|.*\| (?P<version>[\d.]+) \|.*\| `(?P<sha384>[^`]+)` \|$", re.MULTILINE)
RAW_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|hwb|oklch|oklab|lab|lch|color)\(")
INLINE = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.DOTALL),
    "a style element": re.compile(r"<style\b"),
    "a script of its own": re.compile(r"<script\b(?![^>]*\ssrc=)"),
    "an on* handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.DOTALL),
    "a javascript: address": re.compile(r"javascript:"),
}
READ_ON = {
    "ink": ["paper", "surface", "sunken", "tea-tint", "vermilion-tint", "grain-tint", "indigo-tint"],
    "ink-soft": ["paper", "surface", "sunken", "tea-tint"],
    "tea": ["paper", "surface", "sunken", "tea-tint"],
    "tea-deep": ["paper", "surface", "tea-tint"],
    "vermilion": ["paper", "surface", "vermilion-tint"],
    "vermilion-deep": ["vermilion-tint"],
    "grain": ["paper", "surface", "grain-tint"],
    "indigo": ["indigo-tint"],
    "on-tea": ["tea", "tea-deep"],
    "on-vermilion": ["vermilion", "vermilion-deep"],
}
ICON = re.compile(r"""\bicon\(\s*["']([a-z-]+)["']|icon_name=["']([a-z-]+)["']""")
STATIC = re.compile(r"""static_url\(["']([^"']+)["']\)""")


def vendored() -> dict[str, re.Match[str]]:
    """The rows of VENDORED.md by file name."""
    return {row["file"]: row for row in TABLE_ROW.finditer((ROOT / "static/js/VENDORED.md").read_text())}


def test_every_script_of_others_is_listed_and_unchanged() -> None:
    scripts = {path.name: path for path in (ROOT / "static/js").rglob("*.js") if path.name.endswith(".min.js")}
    assert scripts.keys() == vendored().keys()
    for name, row in vendored().items():
        assert row["version"] in name
        digest = hashlib.sha384(scripts[name].read_bytes()).digest()
        assert base64.b64encode(digest).decode() == row["sha384"], name


@pytest.mark.parametrize("path", CSS, ids=lambda path: path.name)
def test_colours_are_named_in_the_tokens_only(path: Path) -> None:
    if path.name != "tokens.css":
        assert RAW_COLOUR.findall(without_comments(path)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(scheme: str) -> None:
    colour = colours(scheme)
    for words, grounds in READ_ON.items():
        for ground in grounds:
            assert contrast(colour[words], colour[ground]) >= 4.5, f"{words} on {ground}"
    for ground in ("paper", "surface", "sunken"):
        assert contrast(colour["focus"], colour[ground]) >= 3, f"the focus ring on {ground}"
        assert contrast(colour["line-strong"], colour[ground]) >= 3, f"the edge of an input on {ground}"


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_drawings_can_be_read_by_everybody_and_in_grey(scheme: str) -> None:
    """WCAG 2.2, 1.4.11: 3:1 against the ground. Each series also differs in lightness from every other, which is all
    that a grey print leaves of a colour; patterns (static/js/chart.js) tell them apart besides.
    """
    colour = colours(scheme)
    series = [colour[f"chart-{number}"] for number in range(1, 7)]
    assert min(contrast(one, colour["surface"]) for one in series) >= 3
    assert min(contrast(grey(one), grey(other)) for one, other in combinations(series, 2)) >= 1.3
    assert contrast(colour["line-strong"], colour["surface"]) >= 3, "the bar of all others"
    patterns = (ROOT / "static/js/chart.js").read_text().split("const PATTERNS = [")[1].split("];")[0]
    assert patterns.count("lines(") + patterns.count("symbol:") == len(series)


def grey(one: str) -> str:
    """A colour as a grey print shows it: the grey of the same luminance."""
    light = luminance(one)
    value = light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return "#" + f"{round(value * 255):02x}" * 3


def colours(scheme: str) -> dict[str, str]:
    """The tokens that are plain colours, as one scheme shows them; 'paper' as a print of the light one."""
    screen, paper = (ROOT / "static/css/tokens.css").read_text().split("@media print")
    light, dark = screen.split("@media (prefers-color-scheme: dark)")
    more = {"light": "", "dark": dark, "paper": paper}[scheme]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light + more))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2, from 0 to 1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_token_used_is_defined_and_every_defined_one_is_used() -> None:
    styles = "".join(without_comments(path) for path in CSS)
    scripts = "".join(path.read_text() for path in (ROOT / "static/js").glob("*.js") if ".min." not in path.name)
    defined = set(re.findall(r"(--[a-z0-9-]+)\s*:", styles))
    used = set(re.findall(r"var\((--[a-z0-9-]+)", styles))
    charts = {name for name in defined if name.startswith("--chart-")}
    assert used - defined == set()
    assert defined - used - charts - set(re.findall(r"--[a-z0-9-]+", scripts)) == set()


def test_every_stylesheet_is_loaded() -> None:
    head = (ROOT / "templates/ui/head.html").read_text()
    for path in CSS:
        name = path.relative_to(ROOT / "static/css").with_suffix("").as_posix()
        assert f'"{name}"' in head or f"css/{name}.css" in head, name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_hold_nothing_inline(path: Path) -> None:
    text = re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL)
    assert [what for what, pattern in INLINE.items() if pattern.search(text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_name_only_icons_and_files_that_exist(path: Path) -> None:
    text = path.read_text()
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', (ROOT / "static/img/icons.svg").read_text()))
    assert {first or second for first, second in ICON.findall(text)} - drawn == set()
    assert [name for name in STATIC.findall(text) if not (ROOT / "static" / name).is_file()] == []


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.name)
def test_drawings_work_under_the_strict_content_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|<script|\son[a-z]+=|href=[\"']http|<text", text)
    assert len(text) < 12_000


def without_comments(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
