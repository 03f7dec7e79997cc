"""The driver's keeper: journals go to the store, and nothing is done before they are there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

from doorstep.engine.identity import Identity
from doorstep.engine.journal import Header, Journal, JournalEntry
from doorstep.engine.messages import Event, Fact, Program, StartMapRun
from doorstep.engine.quotas import quotas_of
from doorstep.map_runs.run import MapRun
from doorstep.runtime import Driver, Execution
from doorstep.runtime.execution import child_identity
from doorstep.runtime.persistence import restore, resume_execution
from doorstep.values.json_values import dumps, loads

from . import map_run_counts
from .catalogue import Catalogue
from .errors import StoreError
from .programs import Definition, Origin, Programs
from .publish.watcher import Watch
from .store.store import Row, Store
from .timelines import Pace, Timeline, Timelines

log = logging.getLogger("doorstep")
_IDENTITY = [field.name for field in fields(Identity)]


class StoreKeeper:
    """Keeps the executions of one driver in a store."""

    driver: Driver
    watch: Watch

    def __init__(
        self, store: Store, catalogue: Catalogue, programs: Programs, timelines: Timelines
    ) -> None:
        self.store = store
        self.timelines = timelines
        self.catalogue = catalogue
        self.programs = programs
        self.rows: dict[str, Row] = {}
        """Of the executions in memory, by ARN."""
        self.map_runs: dict[str, MapRun] = {}
        """Those that run, by ARN."""
        self.stuck: dict[str, str] = {}
        """Of the executions that can't go on, by ARN: why."""
        self.acted: Callable[[], None] = lambda: None
        """Called when what waited for a commit has been done."""
        self._deferred: list[Callable[[], None]] = []

    # For the driver ------------------------------------------------------------------------------

    def journaled(self, execution: Execution, entries: Sequence[JournalEntry]) -> None:
        """Collect a fact and its events; keep the execution's row up to date."""
        fact = entries[0]
        assert isinstance(fact, Fact)
        row = self._row(execution, fact)
        if row is None:
            # It could not even be begun.
            self.safely(lambda: self.driver.forget(execution))
            return
        # A fact about what is already over changes nothing, and is not kept.
        if durable(row) and (row.status == "RUNNING" or len(entries) > 1):
            self.store.append(row.id, entries)
        if fact.kind == "redriven" and execution.engine.redrives != row.redrives:
            row.redrives, row.redriven = execution.engine.redrives, fact.at
            row.status, row.stopped = "RUNNING", None
            self.store.update(row)
        if execution.ended and row.status == "RUNNING":
            self._ended(execution, row, fact.at)
        if events := [entry for entry in entries if isinstance(entry, Event)]:
            guarded(lambda: self.watch(row, execution.events[0], events))

    def knows_token(self, token: str) -> bool:
        """Return whether some task had this token."""
        return self.store.knows_token(token)

    def set_aside(self, execution: Execution, problem: Exception) -> None:
        """Leave an execution as it was stored last; name it in /health, and why."""
        self.stuck[execution.arn] = str(problem)
        self.rows.pop(execution.arn, None)
        log.error("%s can't be stored, and is set aside: %s", execution.arn, problem)

    def scheduled(self, execution: Execution, fact: Fact) -> None:
        """Keep an answer for its time."""
        row = self.rows.get(execution.arn)
        if row and durable(row):
            self.store.promise(row.id, fact)

    def expected(self, execution: Execution, tokens: Collection[str]) -> None:
        """Keep the task tokens: one of a task that is over is told from one that never was."""
        row = self.rows.get(execution.arn)
        if row and durable(row):
            for token in tokens:
                self.store.own_token(token, row.id)

    def safely(self, act: Callable[[], None]) -> None:
        """Do it after the next commit."""
        self._deferred.append(act)

    def map_run(self, run: MapRun) -> None:
        """Keep how a map run stands; limits that were changed outlive a crash."""
        arn, now = run.command.arn, run.parent.clock.now()
        known = self.store.get("map run", arn)
        if known and arn not in self.map_runs:
            run.command = run.command._replace(**known["limits"])
        document = known or map_run_counts.new_document(run, now)
        self.store.put("map run", arn, map_run_counts.brought_up_to_date(document, run, now))
        if run.status == "RUNNING":
            self.map_runs[arn] = run
        else:
            self.map_runs.pop(arn, None)

    def children(self, parent: Execution, command: StartMapRun) -> list[Execution]:
        """The children that the store knows, each going on if it had not ended."""
        found: list[Execution] = []
        definition = parent.journal.header.definition
        while row := self.store.row(child_identity(parent, command, len(found)).arn):
            found.append(self._restored(row, command.child, definition))
        return found

    def find(self, arn: str) -> Execution | None:
        """An execution of the store; if it had not ended it goes on from now."""
        row = self.store.row(arn)
        if row is None or not durable(row):
            return None
        compiled = self.programs.of(row.revision)
        origin = Origin(row.revision, row.version, row.alias, row.trace, row.test_case)
        return self._restored(row, compiled.program, Definition(compiled.value, origin))

    def close(self) -> None:
        """Make all durable and let go of the store."""
        self.commit()
        self.store.close()

    # For the server ------------------------------------------------------------------------------

    def commit(self) -> None:
        """Make all durable, then do what waited for that, until nothing is left to do."""
        while True:
            self.store.commit()
            self._abandon_refused()
            acts, self._deferred = self._deferred, []
            if not acts:
                return
            for act in acts:
                guarded(act)
            guarded(self.acted)

    def _abandon_refused(self) -> None:
        refused = self.store.take_refused()
        for row in [row for row in self.rows.values() if row.id in refused] if refused else ():
            if execution := self.driver.executions.get(row.arn):
                self.driver.abandon(execution, StoreError(refused[row.id]))

    def abort(self, row: Row, **why: str | None) -> None:
        """End an execution that nothing drives: as the engine does when it is told to stop."""
        last = self.store.last_event(row.id)
        now = max(self.driver.clock.now(), *(e.at for e in self.store.events(row.id, last, last)))
        details = {name: text for name, text in why.items() if text is not None}
        event = Event(last + 1, 0, "ExecutionAborted", now, details)
        self.store.append(row.id, (Fact("stopped", now, "", details), event))
        row.status, row.stopped = "ABORTED", now
        self.store.update(row)
        self.stuck.pop(row.arn, None)
        self.watch(row, self.store.events(row.id, 1, 1)[0], (event,))

    def forget(self, row: Row) -> None:
        """Forget an execution that ended long ago, and its map runs."""
        self.store.remove(row)
        for document in self.store.documents("map run"):
            if document["execution"] == row.arn:
                self.store.drop("map run", document["arn"])

    def finish_deleting(self, arn: str) -> None:
        """Forget a machine that is being deleted, if none of its executions runs."""
        machine = self.catalogue.machines.get(arn)
        if machine and machine.deleting and all(row.machine != arn for row in self.rows.values()):
            self.catalogue.remove(machine)

    # Rows ----------------------------------------------------------------------------------------

    def _row(self, execution: Execution, fact: Fact) -> Row | None:
        row = self.rows.get(execution.arn)
        if row is None and fact.kind == "started":
            row = self._new_row(execution, fact.at)
            self.store.begin(row)
        elif row is None and fact.kind == "redriven":
            row = self.store.row(execution.arn)
        if row is not None:
            self.rows[row.arn] = row
        return row

    def _new_row(self, execution: Execution, at: float) -> Row:
        identity, definition = execution.identity, execution.journal.header.definition
        assert isinstance(definition, Definition)
        line = execution.clock if isinstance(execution.clock, Timeline) else None
        return Row(
            id=self.store.next_id(),
            arn=execution.arn,
            machine=identity.machine_arn,
            name=identity.name,
            type=identity.type,
            status="RUNNING",
            started=at,
            identity=dumps({name: getattr(identity, name) for name in _IDENTITY}),
            revision=definition.origin.revision,
            version=definition.origin.version,
            alias=definition.origin.alias,
            trace=definition.origin.trace,
            test_case=definition.origin.test_case,
            map_run=identity.map_run,
            clock=line.pace.text if line else "real",
            root=line.root if line else None,
        )

    def _ended(self, execution: Execution, row: Row, at: float) -> None:
        row.status, row.stopped = execution.status, at
        if durable(row):
            self.store.update(row)
        else:
            self.store.remove(row)
        self.safely(lambda: self._let_go(execution))

    def _let_go(self, execution: Execution) -> None:
        if execution.ended:
            self.rows.pop(execution.arn, None)
            self.driver.forget(execution)
            if isinstance(execution.clock, Timeline):
                # Time may have stood still for whoever could have answered it.
                execution.clock.look()
            self.finish_deleting(execution.identity.machine_arn)

    # Out of the store ----------------------------------------------------------------------------

    def _restored(self, row: Row, program: Program, definition: Mapping[str, Any]) -> Execution:
        identity = Identity(**loads(row.identity))
        quotas = quotas_of(row.type)
        journal = Journal(Header(definition, identity, quotas), self.store.journal(row.id))
        clock = self.timelines.clock(Pace.of(row.clock), row.root or row.arn)
        execution = restore(program, journal, clock)
        if isinstance(clock, Timeline):
            clock.not_before(execution.engine.now)
        if not execution.ended:
            self.rows[row.arn] = row
            resume_execution(self.driver, execution, self.store.promises(row.id))
        return execution


def durable(row: Row) -> bool:
    """Whether an execution survives a crash: not an Express one that was started as such."""
    return row.type == "STANDARD" or row.map_run is not None


def guarded(act: Callable[[], None]) -> None:
    """Do something; a bug in it must not end the server."""
    try:
        act()
    except Exception:
        log.exception("this is a bug in Doorstep")
