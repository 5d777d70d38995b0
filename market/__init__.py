"""The ground floor: money, clock, database, places, parties, access, ledger, journal, outbox, files, web frame."""
