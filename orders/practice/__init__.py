"""The practice provider (演练): speaks the card provider's language on loopback, and moves no money.

It knows nothing of the shop's database, and production cannot import it.
"""

import os

if os.environ.get("SIJIN_ENV") == "production":
    raise ImportError("The practice provider is not for production.")
