"""Writing the index: a fresh one beside the old, or one commit for a batch of changes. Only the worker writes."""

import json
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from whoosh.columns import VarBytesColumn
from whoosh.fields import COLUMN, FieldType, Schema
from whoosh.formats import Existence
from whoosh.reading import SegmentReader, TermNotFound

from catalog.search.store import (
    DICTIONARY,
    Memory,
    border,
    current_folder,
    cut_with,
    load,
    publish,
    read_pointer,
    writing,
)
from catalog.search.words import Words, is_han, runs

FIELDS = ("name", "place", "text")
MOST_SEGMENTS = 8  # each batch adds one, and every query pays for each


@dataclass(frozen=True)
class Document:
    """A product as search knows it; `price_fen` is what one sales unit costs, `sold` is any count to sort by."""

    id: int
    name: str
    text: str  # aliases, names in other languages, words of the description
    village_names: str
    county_code: str
    category: str
    supplier: str
    certified: bool
    months: frozenset[int]  # 1 to 12, when it is in season
    price_fen: int
    sold: int


class Row(NamedTuple):
    """The columns of a document that the index keeps."""

    id: int
    price_fen: int
    sold: int
    county_code: str
    category: str
    certified: bool
    months: int  # bit n is month n


def rebuild(folder: Path, documents: Iterable[Document], generation_key: str = "") -> None:
    """Build a fresh index and let it take the old one's place; readers keep the old one until then.

    `generation_key` is the caller's own mark (such as the place in the change log at which the documents were read).
    """
    newest = {document.id: document for document in documents}.values()
    with writing(folder) as scratch, border():
        dictionary = json.dumps(sorted(set(_short_names(newest))), ensure_ascii=False).encode()
        storage = Memory(scratch)
        index = storage.create_index(_schema())
        writer = index.writer()
        _add(writer, cut_with(dictionary), newest)
        writer.commit(merge=False)
        storage.files[DICTIONARY] = dictionary
        before = current_folder(folder)
        fresh = f"g{secrets.token_hex(6)}"
        publish(folder, fresh, generation_key, storage.files)
        for other in folder.glob("g*"):
            if other.name not in (fresh, before):
                shutil.rmtree(other)


def apply(
    folder: Path, changed: Iterable[Document], removed: Iterable[int] = (), generation_key: str | None = None
) -> None:
    """Bring a batch of products up to date in one commit; the same batch again changes nothing.

    An id that is both changed and removed stays, as changed. Without `generation_key` the mark stays what it was.
    """
    newest = {document.id: document for document in changed}
    with writing(folder) as scratch, border():
        generation = load(folder)
        storage = Memory(scratch)
        storage.files = dict(generation.files)
        index = storage.open_index()
        writer = index.writer()
        _remove(writer, index, {*newest, *removed})
        _add(writer, generation.words(), newest.values())
        writer.commit(mergetype=_few_segments)
        key = generation.key if generation_key is None else generation_key
        publish(folder, generation.folder, key, storage.files, already=generation.files)


def current_key(folder: Path) -> str:
    """The mark given with the last rebuild or batch."""
    with border():
        return str(read_pointer(folder)[1]["key"])


def _schema() -> Schema:
    """Terms come ready from words.py, so no analyzer; nothing is scored; the columns are one row of JSON."""
    terms = {field: FieldType(format=Existence(), analyzer=None) for field in ("id", *FIELDS)}
    return Schema(**terms, row=COLUMN(VarBytesColumn(allow_offsets=False)))


def _short_names(documents: Iterable[Document]) -> Iterator[str]:
    """Short Chinese names; longer ones are phrases, not words."""
    for document in documents:
        yield from (run for run in runs(document.name) if is_han(run) and 2 <= len(run) <= 4)


def _add(writer: Any, words: Words, documents: Iterable[Document]) -> None:
    for document in documents:
        places = f"{document.village_names} {document.supplier}"
        terms = words.of_document(document.name, places, document.text)
        writer.add_document(
            id=[str(document.id)],
            name=list(terms.name),
            place=list(terms.place),
            text=list(terms.text),
            row=_row(document),
        )


def _row(document: Document) -> bytes:
    row = Row(
        document.id,
        document.price_fen,
        document.sold,
        document.county_code,
        document.category,
        document.certified,
        sum(1 << month for month in document.months),
    )
    return json.dumps(row).encode()


def _remove(writer: Any, index: Any, ids: set[int]) -> None:
    with index.reader() as reader:
        for product_id in ids:
            try:
                found = list(reader.postings("id", str(product_id)).all_ids())
            except TermNotFound:
                continue
            for number in found:
                writer.delete_document(number)


def _few_segments(writer: Any, segments: list[Any]) -> list[Any]:
    """Leave the segments alone while they are few; else merge all but the largest, which is dear to rewrite."""
    if len(segments) < MOST_SEGMENTS:
        return segments
    largest = max(segments, key=lambda segment: segment.doc_count_all())
    kept = [] if largest.deleted_count() * 3 > largest.doc_count_all() else [largest]
    for segment in segments:
        if segment not in kept:
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
    return kept
