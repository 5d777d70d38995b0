"""The index on disk: generations of files, and the pointer that names the current one.

A generation is a folder of files that are written once and never changed. The pointer file names the generation, its
files and their checksums, and is replaced in one step after all files are there: a reader sees the index before or
after a commit, and damage is noticed before Whoosh unpickles anything. Checksums tell accidents, not attackers: the
folder (0700) must be writable by the application only, and is never restored from a backup or an upload.
"""

import fcntl
import json
import shutil
import zlib
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from whoosh.filedb.filestore import FileStorage, RamStorage

from catalog.search.words import Words

FORMAT = 1  # raise it when terms or columns change: older indexes are then refused and rebuilt
DICTIONARY = "names.json"
POINTER = "current.json"


class SearchUnavailable(Exception):
    """The index cannot answer now; the database can."""


class SearchBusy(Exception):
    """Another process is writing this index."""


@dataclass(frozen=True)
class Generation:
    """One committed state of the index, read into memory and verified."""

    pointer: str
    key: str
    folder: str
    files: dict[str, bytes]

    def words(self) -> Words:
        """The dictionary this index was cut with."""
        return cut_with(self.files[DICTIONARY])

    def open(self) -> Any:
        """The Whoosh index over the files in memory."""
        storage = RamStorage()
        storage.files = dict(self.files)
        return storage.open_index()


def load(folder: Path, before: Generation | None = None) -> Generation:
    """The current generation, verified; `before` itself if it still is the current one.

    A writer may remove files that the pointer no longer names while we read, hence more than one try.
    """
    tries_left = 3
    while True:
        tries_left -= 1
        text, pointer = read_pointer(folder)
        if before and before.pointer == text:
            return before
        known = before.files if before and before.folder == pointer["folder"] else {}
        try:
            files = {
                name: known.get(name) or _verified(folder / pointer["folder"] / name, checksum)
                for name, checksum in pointer["files"].items()
            }
        except (OSError, SearchUnavailable):
            if not tries_left:
                raise
            continue
        return Generation(text, pointer["key"], pointer["folder"], files)


def read_pointer(folder: Path) -> tuple[str, dict[str, Any]]:
    text = (folder / POINTER).read_text(encoding="utf-8")
    pointer: dict[str, Any] = json.loads(text)
    if pointer["format"] != FORMAT:
        raise SearchUnavailable(f"index format {pointer['format']}, wanted {FORMAT}")
    return text, pointer


def _verified(path: Path, checksum: int) -> bytes:
    content = path.read_bytes()
    if zlib.crc32(content) != checksum:
        raise SearchUnavailable(f"{path.name} is damaged")
    return content


def publish(folder: Path, name: str, key: str, files: dict[str, bytes], already: Container[str] = ()) -> None:
    """Write the files that are new, then the pointer, then remove what it no longer names.

    A file left by a writer that died before its pointer is written over.
    """
    home = folder / name
    home.mkdir(mode=0o700, exist_ok=True)
    for file, content in files.items():
        if file not in already:
            (home / file).write_bytes(content)
    checksums = {file: zlib.crc32(content) for file, content in sorted(files.items())}
    pointer = {"format": FORMAT, "key": key, "folder": name, "files": checksums}
    (folder / f"{POINTER}.new").write_text(json.dumps(pointer), encoding="utf-8")
    (folder / f"{POINTER}.new").replace(folder / POINTER)
    for path in home.iterdir():
        if path.name not in files:
            path.unlink()


def current_folder(folder: Path) -> str | None:
    """The generation that the pointer names, if it can be read at all."""
    try:
        return str(read_pointer(folder)[1]["folder"])
    except Exception:  # noqa: BLE001  a damaged pointer may fail in any way, and is about to be replaced
        return None


@contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """Hold the one writer's lock, freed even when the process dies; gives a scratch folder."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with open(folder / "writer.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SearchBusy(f"{folder} is being written") from None
        scratch = folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def border() -> Iterator[None]:
    """Whatever goes wrong in here (damage alone raises nine classes of error) is SearchUnavailable outside."""
    try:
        yield
    except SearchUnavailable:
        raise
    except Exception as error:
        raise SearchUnavailable(f"{type(error).__name__}: {error}") from error


class Memory(RamStorage):  # type: ignore[misc]
    """An index in memory whose large sorts spill into our own folder."""

    def __init__(self, scratch: Path) -> None:
        super().__init__()
        self._scratch = scratch

    def temp_storage(self, name: str | None = None) -> FileStorage:
        return FileStorage(str(self._scratch)).create()


@lru_cache(maxsize=2)
def cut_with(dictionary: bytes) -> Words:
    """The words of an index by its dictionary; kept, as each takes 0.1 s and 25 MB to make."""
    return Words(json.loads(dictionary))
