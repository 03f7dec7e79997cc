"""The database: how it is reached, and its tables and their migrations."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from ..errors import StoreError

# Its pipelines report a second time what is raised.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)
_DEFAULTS = {
    "application_name": "doorstep",
    "connect_timeout": "5",
    # A connection that the network has lost is noticed while the lease lasts.
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_LOCK = 0x446F6F72
"""The advisory lock under which tables are made: "Door"."""
_TABLES = """
CREATE TABLE documents (
    kind text NOT NULL, arn text NOT NULL, body bytea NOT NULL, checksum bigint NOT NULL,
    PRIMARY KEY (kind, arn)
);
CREATE TABLE executions (
    id bigint PRIMARY KEY, arn text NOT NULL UNIQUE, machine text NOT NULL, name text NOT NULL,
    type text NOT NULL, status text NOT NULL, started float8 NOT NULL, identity text NOT NULL,
    revision text NOT NULL, stopped float8, version text, alias text, trace text, map_run text,
    redrives integer NOT NULL, redriven float8, clock text NOT NULL, root text, test_case text,
    checksum bigint NOT NULL
);
CREATE INDEX executions_of_machine ON executions (machine, id);
CREATE INDEX executions_of_status ON executions (machine, status, id);
CREATE INDEX executions_of_map_run ON executions (map_run, id) WHERE map_run IS NOT NULL;
CREATE INDEX executions_of_version ON executions (version, id) WHERE version IS NOT NULL;
CREATE INDEX executions_of_alias ON executions (alias, id) WHERE alias IS NOT NULL;
CREATE INDEX executions_that_run ON executions (root) WHERE status = 'RUNNING';
CREATE TABLE journal (
    execution bigint NOT NULL, number integer NOT NULL, first integer NOT NULL,
    last integer NOT NULL, checksum bigint NOT NULL, entries bytea NOT NULL,
    writer integer NOT NULL DEFAULT current_setting('doorstep.server')::integer,
    PRIMARY KEY (execution, number)
);
CREATE TABLE promises (execution bigint NOT NULL, fact bytea NOT NULL, checksum bigint NOT NULL);
CREATE INDEX promises_of_execution ON promises (execution);
CREATE TABLE tokens (token text PRIMARY KEY, execution bigint NOT NULL);
CREATE TABLE servers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
    rev bigint NOT NULL DEFAULT 0, expires timestamptz NOT NULL, over boolean NOT NULL DEFAULT false
);
CREATE TABLE timelines (root text PRIMARY KEY, owner integer NOT NULL);
CREATE INDEX timelines_of_owner ON timelines (owner);
CREATE TABLE catalogue (rev bigint NOT NULL);
INSERT INTO catalogue VALUES (0);
CREATE TABLE inbox (
    id bigint PRIMARY KEY, server integer NOT NULL, asker integer NOT NULL,
    operation text NOT NULL, request bytea NOT NULL, answer bytea
);
CREATE INDEX inbox_of_server ON inbox (server) WHERE answer IS NULL;
CREATE INDEX inbox_of_asker ON inbox (asker);
CREATE TABLE offers (
    execution bigint NOT NULL, key text NOT NULL, number bigint NOT NULL, activity text NOT NULL,
    arn text NOT NULL, owner integer NOT NULL, asked timestamptz, PRIMARY KEY (execution, key)
);
CREATE INDEX offers_of_activity ON offers (activity, number);
"""
_CHILDREN = """
CREATE TABLE families (
    id bigint PRIMARY KEY, map_run text NOT NULL UNIQUE, body bytea NOT NULL,
    checksum bigint NOT NULL
);
CREATE TABLE children (
    id bigint PRIMARY KEY, family bigint NOT NULL, started float8 NOT NULL, stopped float8 NOT NULL,
    redriven float8, checksum bigint NOT NULL, redrives integer NOT NULL, status text NOT NULL,
    name bytea NOT NULL UNIQUE, seed bytea NOT NULL, body bytea NOT NULL
);
CREATE INDEX children_of_family ON children (family, id);
"""
MIGRATIONS: Sequence[str] = (_TABLES, _CHILDREN)
"""What leads from each version to the next one; version 0 is an empty schema."""


Connection = psycopg.Connection[tuple[Any, ...]]


class Address:
    """Where a database is, without what is secret about it."""

    def __init__(self, url: str) -> None:
        """Raise StoreError for what is no URL of a database, without repeating it."""
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error:
            # Its message may repeat a part of the password.
            message = "--db is no URL of a database: write postgresql://USER@HOST:PORT/DATABASE"
            raise StoreError(f"{message}, special characters as %XX") from None
        texts = {name: str(value) for name, value in given.items()}
        self._conninfo = make_conninfo(**(_DEFAULTS | texts))
        user, port = given.get("user"), given.get("port")
        self.text = (
            f"postgresql://{f'{user}@' if user else ''}{given.get('host', '')}"
            f"{f':{port}' if port else ''}/{given.get('dbname', '')}"
        )
        """For people: no password, and no other option."""

    def connect(self) -> Connection:
        """Connect; raise psycopg.Error."""
        connection = psycopg.connect(self._conninfo, autocommit=True, row_factory=tuple_row)
        try:
            connection.execute(
                "SELECT set_config('search_path', "
                "coalesce(current_setting('doorstep.schema', true), 'doorstep'), false), "
                # What was acknowledged survives the end of the database.
                "set_config('synchronous_commit', coalesce(nullif("
                "current_setting('synchronous_commit'), 'off'), 'on'), false)"
            )
        except BaseException:
            connection.close()
            raise
        return connection


def migrate(connection: Connection) -> None:
    """Bring a schema up to this version; raise ValueError when it is of a later one.

    One server at a time; a step and the version that it leads to become durable together.
    """
    row = connection.execute("SELECT current_setting('search_path')").fetchone()
    schema = row[0] if row else ""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        # IF NOT EXISTS would need the right to create one even where there is one.
        there = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        if not connection.execute(there, (schema,)).fetchone():
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        connection.execute("CREATE TABLE IF NOT EXISTS version (number integer NOT NULL)")
        row = connection.execute("SELECT number FROM version").fetchone()
        version, latest = row[0] if row else 0, len(MIGRATIONS)
        if not 0 <= version <= latest:
            later = f"it was written by a later Doorstep (version {version}, not {latest})"
            raise ValueError(later)
        for step in MIGRATIONS[version:]:
            connection.execute(step.encode())
        connection.execute("DELETE FROM version")
        connection.execute("INSERT INTO version VALUES (%s)", (latest,))


def is_temporary(problem: Exception) -> bool:
    """Return whether to try again: the database refuses it, whatever the values are."""
    if not isinstance(problem, psycopg.Error):
        return False
    # 54: a value exceeds a limit, such as that of an index (program_limit_exceeded).
    of_values = isinstance(problem, psycopg.IntegrityError | psycopg.DataError)
    return not of_values and not (problem.sqlstate or "").startswith("54")


def refused(where: str, problem: Exception) -> StoreError:
    """Return the error that says what to do about a problem with a database."""
    # The rest are hints for whoever runs psql.
    text = str(problem).partition("\n")[0].rstrip(".?")
    advice = "See that it runs, that this machine reaches it, and that the user may use it."
    if not is_temporary(problem):
        advice = "Restore it from a copy, or name another database."
    return StoreError(f"{where} can't be used: {text}. {advice}")
