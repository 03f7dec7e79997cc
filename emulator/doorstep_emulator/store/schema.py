"""The tables of the store, and how a file of an older version becomes one of this version."""

from __future__ import annotations

import sqlite3

from .checksums import UNCHECKED

APPLICATION_ID = 0x446F6F72
"""SQLite's own mark of what a file is for: "Door"."""

_TABLES = f"""
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE documents (
    kind TEXT NOT NULL, arn TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, arn)
) WITHOUT ROWID;
CREATE TABLE executions (
    id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, status TEXT NOT NULL, started REAL NOT NULL, identity TEXT NOT NULL,
    revision TEXT NOT NULL, stopped REAL, version TEXT, alias TEXT, trace TEXT, map_run TEXT,
    redrives INTEGER NOT NULL, redriven REAL
);
CREATE INDEX executions_of_machine ON executions (machine);
CREATE INDEX executions_of_status ON executions (machine, status);
CREATE INDEX executions_of_map_run ON executions (map_run) WHERE map_run IS NOT NULL;
CREATE INDEX executions_that_run ON executions (id) WHERE status = 'RUNNING';
CREATE TABLE journal (
    execution INTEGER NOT NULL, number INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, checksum INTEGER NOT NULL, entries BLOB NOT NULL,
    PRIMARY KEY (execution, number)
) WITHOUT ROWID;
CREATE TABLE promises (execution INTEGER NOT NULL, fact BLOB NOT NULL);
CREATE INDEX promises_of_execution ON promises (execution);
CREATE TABLE tokens (token TEXT PRIMARY KEY, execution INTEGER NOT NULL) WITHOUT ROWID;
"""

_TIMELINES = """
ALTER TABLE executions ADD COLUMN clock TEXT NOT NULL DEFAULT 'real';
ALTER TABLE executions ADD COLUMN root TEXT;
"""

_TEST_CASES = "ALTER TABLE executions ADD COLUMN test_case TEXT;"

_CHECKS = """
ALTER TABLE documents ADD COLUMN checksum INTEGER;
ALTER TABLE promises ADD COLUMN checksum INTEGER;
CREATE INDEX executions_of_version ON executions (version) WHERE version IS NOT NULL;
CREATE INDEX executions_of_alias ON executions (alias) WHERE alias IS NOT NULL;
"""

_ROWS = f"""
ALTER TABLE executions ADD COLUMN checksum INTEGER NOT NULL DEFAULT {UNCHECKED};
UPDATE documents SET checksum = {UNCHECKED} WHERE checksum IS NULL;
UPDATE promises SET checksum = {UNCHECKED} WHERE checksum IS NULL;
CREATE TABLE progress (mark TEXT NOT NULL, commits INTEGER NOT NULL);
INSERT INTO progress VALUES (lower(hex(randomblob(8))), 0);
"""

MIGRATIONS = (_TABLES, _TIMELINES, _TEST_CASES, _CHECKS, _ROWS)
"""What leads from each version to the next one; version 0 is an empty file."""


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever written to the file."""
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return tables == 0


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file up to this version, step by step; raises ValueError when it is of a later one.

    A step and the version that it leads to become durable together.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    latest = len(MIGRATIONS)
    if not 0 <= version <= latest:
        raise ValueError(f"it was written by a later Doorstep (version {version}, not {latest})")
    for step in range(version, latest):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[step]} PRAGMA user_version = {step + 1}; COMMIT;"
        )
