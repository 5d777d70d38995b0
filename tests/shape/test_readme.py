"""The README says what is there: folders, targets, commands, settings, and an example that computes what it claims."""

import doctest
import re
from pathlib import Path

import click
from flask import Flask

from market import config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
NOT_OURS = {"db", "run", "shell", "routes", "openapi", "limiter"}  # commands that come with the packages
FOLDERS_OF_RUNS = {"data", "__pycache__"}


def test_the_worked_example_computes_what_it_says() -> None:
    example = doctest.DocTestParser().get_doctest(README, {}, "README.md", "README.md", 0)
    assert len(example.examples) >= 6
    assert doctest.DocTestRunner().run(example).failed == 0


def test_every_top_folder_is_named() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert folders - FOLDERS_OF_RUNS == set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE))


def test_every_target_is_named_and_every_named_one_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert phony == targets
    assert targets == set(re.findall(r"`make ([a-z]+)`", README))


def test_every_command_is_named_and_every_named_one_exists(app: Flask) -> None:
    ours = {
        f"{name} {sub}" if sub else name
        for name, command in app.cli.commands.items() if name not in NOT_OURS
        for sub in (command.commands if isinstance(command, click.Group) else [""])
    }
    assert ours == commands_in_readme() - {"db upgrade"}


def commands_in_readme() -> set[str]:
    """The commands of the table, also those that stand behind a · in the same row."""
    rows = re.findall(r"^\| `flask --app wsgi (.+?) \| ", README, re.MULTILINE)
    return {
        " ".join(re.findall(r"^[a-z]+(?: [a-z]+)?", text.strip("`")))
        for row in rows for text in row.split(" · ")
    }


def test_every_setting_is_named_and_every_named_one_is_read() -> None:
    settings = README[README.index("Settings come from") : README.index("## Production")]
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", settings))
    gunicorn = (ROOT / "deploy" / "gunicorn.conf.py").read_text()
    sources = (Path(config.__file__).read_text() + gunicorn).replace("'", '"')
    read = set(re.findall(r'environ\.get\("([A-Z0-9_]+)"', sources))
    assert named == read
