"""Full-text search over products: documents in, product ids out; knows no web frame and no database.

The index is an extra that can always be rebuilt. Whoosh unpickles its own files, so its folder must be writable by
the application only, and an index is never restored from a backup or an upload: it is rebuilt.
"""

from catalog.search.index import Document, apply, current_key, rebuild
from catalog.search.reader import Facets, Found, Order, Reader
from catalog.search.store import SearchBusy, SearchUnavailable

__all__ = [
    "Document",
    "Facets",
    "Found",
    "Order",
    "Reader",
    "SearchBusy",
    "SearchUnavailable",
    "apply",
    "current_key",
    "rebuild",
]
