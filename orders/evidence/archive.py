"""A ZIP written to disk piece by piece, with the size and SHA-256 of every file in it."""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

STAMP = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same contents give the same ZIP
PACKED = {".webp", ".pdf", ".xlsx", ".jpg", ".png"}  # compressing them again costs time and gains nothing
MANIFEST = "manifest.json"
PIECE = 1 << 20


class Archive:
    """Names are added once each; `close` writes the manifest and returns its SHA-256."""

    def __init__(self, path: Path) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def add(self, name: str, content: bytes) -> None:
        """A file whose content is at hand. ValueError for a name that is there already."""
        if name in self.files:
            raise ValueError(name)
        self._zip.writestr(_entry(name), content, compress_type=_entry(name).compress_type)
        self.files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}

    def add_lines(self, name: str, lines: Iterable[str]) -> None:
        """A text file of any length, line by line as they come."""
        if name in self.files:
            raise ValueError(name)
        running, size = hashlib.sha256(), 0
        with self._zip.open(_entry(name), "w", force_zip64=True) as file:
            for line in lines:
                content = line.encode() + b"\n"
                file.write(content)
                running.update(content)
                size += len(content)
        self.files[name] = {"sha256": running.hexdigest(), "bytes": size}

    def close(self, about: Mapping[str, Any]) -> str:
        """Write the manifest with what the package is about; returns the manifest's SHA-256."""
        content = json.dumps({**about, "files": dict(sorted(self.files.items()))}, ensure_ascii=False,
                             indent=1).encode() + b"\n"
        self._zip.writestr(_entry(MANIFEST), content, compress_type=zipfile.ZIP_DEFLATED)
        self._zip.close()
        return hashlib.sha256(content).hexdigest()

    def abandon(self) -> None:
        """Close what will not be finished."""
        self._zip.close()


def sha256_of(path: Path) -> str:
    """Of a file of any size."""
    running = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(PIECE), b""):
            running.update(piece)
    return running.hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, STAMP)
    entry.compress_type = zipfile.ZIP_STORED if Path(name).suffix in PACKED else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
