"""A SQLite database for what a crawl must remember and memory should not hold.

A dict of a million pages takes some hundred megabytes; here they lie on disk, of which SQLite keeps
a few megabytes in memory and removes the rest by itself, even after a kill.
https://www.sqlite.org/inmemorydb.html#temp_db
"""

import sqlite3

#: What SQLite holds in memory, in kibibytes.
_CACHE = 8 * 2**10


def scratch_database() -> sqlite3.Connection:
    """An empty database that goes with the connection."""
    # A generator that reads from it may go from one thread to another, never be in two.
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    for setting in (f"cache_size=-{_CACHE}", "journal_mode=OFF", "synchronous=OFF"):
        database.execute(f"PRAGMA {setting}")
    return database
