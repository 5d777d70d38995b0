"""The secret in the link that a co-operative sends: derived from the order's nonce and the installation's key, so that
the clerk can copy it again and the table alone opens nothing."""

import hashlib
import hmac
import secrets

from market import logins
from orders.phone.calls import Link


def new(key: str) -> Link:
    """What a new phone order keeps of its link."""
    nonce = secrets.token_urlsafe(16)
    return Link(nonce, logins.token_hash(token_of(nonce, key)))


def token_of(nonce: str, key: str) -> str:
    """The token that stands in the address, 32 characters."""
    return hmac.new(key.encode(), f"phone order {nonce}".encode(), hashlib.sha256).hexdigest()[:32]
