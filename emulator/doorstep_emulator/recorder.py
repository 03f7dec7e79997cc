"""Executions and the store: nothing is done in the world before it is stored, and all is restored.

The driver hands each fact to the recorder with the events that followed. They are collected, and
`commit` makes them durable; what was waiting for that (commands, answers, notices) is done after.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Protocol

from doorstep.engine.identity import Identity
from doorstep.engine.journal import Header, Journal, JournalEntry
from doorstep.engine.messages import Event, Fact, Program, StartMapRun
from doorstep.map_runs import MapRun
from doorstep.runtime import Driver, Running
from doorstep.runtime.persistence import restore, resume_execution
from doorstep.runtime.running import child_identity
from doorstep.values.json_values import dumps, loads

from .catalogue import Catalogue
from .clock import Pace, RealTime, Timeline, Timelines
from .errors import StoreError, guarded
from .programs import Definition, Programs, StartedAs
from .publish.publisher import Publisher
from .responses import new_map_run, updated_map_run
from .store.held import HeldRows
from .store.store import ListQuery, Row, Store

log = logging.getLogger("doorstep")


class DriverOwner(Protocol):
    """The server, to the parts that its driver calls: they reach the driver through it."""

    @property
    def driver(self) -> Driver:
        """The driver; it exists before anything is asked of these parts."""


class Recorder:
    """Stores the executions of one driver, and finds them again."""

    def __init__(
        self,
        owner: DriverOwner,
        store: Store,
        catalogue: Catalogue,
        programs: Programs,
        timelines: Timelines,
        publisher: Publisher,
        after_commit: Callable[[], None],
    ) -> None:
        """`after_commit`: called when what was waiting for a commit has been done."""
        self._owner = owner
        self._store = store
        self.peers = store.peers
        self.catalogue = catalogue
        self._programs = programs
        self._timelines = timelines
        self._publisher = publisher
        self.watchers = publisher.watchers
        self._after_commit = after_commit
        self._deferred: list[Callable[[], None]] = []
        self._refused: dict[int, str] = {}
        """Of which executions the last commit dropped something, and why."""
        self.rows = HeldRows(store.peers)
        self.map_runs: dict[str, MapRun] = {}
        """Those that run, by ARN."""
        self.stuck: dict[str, str] = {}
        """Of the executions that can't continue, by ARN: why."""

    # For the driver: see `doorstep.runtime.running.Persistence` ----------------------------------

    def journaled(self, execution: Running, entries: Sequence[JournalEntry]) -> None:
        """Collect a fact and its events; update the execution's row."""
        fact = entries[0]
        assert isinstance(fact, Fact)
        row = self._row(execution, fact)
        if row is None:
            # It could not even be begun.
            self.safely(lambda: self._owner.driver.forget(execution))
            return
        # A fact about what is already over changes nothing, and is not stored.
        if row.durable and (row.status == "RUNNING" or len(entries) > 1):
            self._store.append(row.id, entries)
        if fact.kind == "redriven" and execution.engine.redrives != row.redrives:
            row.redrives, row.redriven = execution.engine.redrives, fact.at
            row.status, row.stopped = "RUNNING", None
            if row.durable:
                self._store.update(row)
        if execution.ended and row.status == "RUNNING":
            self._ended(execution, row, entries)
        if events := [entry for entry in entries if isinstance(entry, Event)]:
            self._publish(row, execution.events[0], events)

    def knows_token(self, token: str) -> bool:
        """Return whether some task had this token."""
        return self._store.knows_token(token)

    def is_elsewhere(self, token: str) -> bool:
        """Return whether this is the token of a task that another server runs."""
        return self.peers.has_task(token)

    def started_as(self, execution: Running) -> dict[str, str]:
        """Return the ARNs of the version and alias that it was started as."""
        definition = execution.journal.header.definition
        assert isinstance(definition, Definition)
        version, alias = definition.origin.version, definition.origin.alias
        arns = {"StateMachineVersionArn": version, "StateMachineAliasArn": alias}
        return {member: arn for member, arn in arns.items() if arn is not None}

    def set_aside(self, execution: Running, problem: Exception) -> None:
        """Leave an execution as it was stored last; name it in /health, and why."""
        row, stored = self.rows.get(execution.arn), self._store.row(execution.arn)
        if row and stored and stored.id != row.id:
            # Another server has begun one of the same name at the same time.
            self.rows.leave(row)
            self.safely(lambda: self._owner.driver.forget(execution))
            return
        if row:
            self.rows.set_aside(row)
        self.stuck[execution.arn] = str(problem)
        log.error("%s can't be stored, and is set aside: %s", execution.arn, problem)

    def scheduled(self, execution: Running, fact: Fact) -> None:
        """Collect an answer whose time has not come."""
        row = self.rows.get(execution.arn)
        if row and row.durable:
            self._store.schedule(row.id, fact)

    def expected(self, execution: Running, tokens: Collection[str]) -> None:
        """Collect task tokens: AWS answers another error for a token that no task ever had.

        Fact 468.
        """
        row = self.rows.get(execution.arn)
        if row and row.durable:
            for token in tokens:
                self._store.own_token(token, row.id)

    def safely(self, act: Callable[..., None], *arguments: Any) -> None:
        """Do it after the next commit."""
        self._deferred.append(lambda: act(*arguments))

    def map_run(self, run: MapRun) -> None:
        """Collect how a map run stands; limits that were changed outlive a crash."""
        arn, now = run.command.arn, run.parent.clock.now()
        document = self._store.get("map run", arn)
        if document is None:
            document = new_map_run(run, now)
        elif arn not in self.map_runs:
            run.set_limits(**document["limits"])
        self._store.put("map run", arn, updated_map_run(document, run, now))
        if run.status == "RUNNING":
            self.map_runs[arn] = run
        else:
            self.map_runs.pop(arn, None)

    def children(self, parent: Running, command: StartMapRun) -> Iterator[Running | Journal | None]:
        """Return the children that were begun; None for one to run again, under the same keys."""
        definition = parent.journal.header.definition
        left, indexes = self._store.count_children(command.arn), count()
        while left > 0:
            row = self._store.row(child_identity(parent, command, next(indexes)).arn)
            left -= row is not None
            if row is None:
                yield None
            elif row.status == "RUNNING":
                yield self._restored(row, command.child, definition)
            else:
                yield self._journal(row, definition)

    def find(self, arn: str) -> Running | None:
        """Return an execution of the store; if it had not ended it continues from now."""
        row = self._store.row(arn)
        if row is None or not row.durable:
            return None
        compiled = self._programs.of(row.revision)
        origin = StartedAs(row.revision, row.version, row.alias, row.trace, row.test_case)
        return self._restored(row, compiled.program, Definition(compiled.value, origin))

    def close(self) -> None:
        """Make all durable and close the store."""
        self.commit()
        self._store.close()

    # For the server ------------------------------------------------------------------------------

    def commit(self) -> None:
        """Make all durable, then do what was waiting for that, until nothing is left to do."""
        while True:
            self._store.commit()
            if self._store.fenced:
                return  # What waited for the commit must never be done.
            self._abandon_refused()
            acts, self._deferred = self._deferred, []
            if not acts:
                return
            for act in acts:
                guarded(act)
            guarded(self._after_commit)

    def _abandon_refused(self) -> None:
        refused = self._refused = self._store.take_refused()
        for row in [row for row in self.rows.values() if row.id in refused] if refused else ():
            if execution := self._owner.driver.executions.get(row.arn):
                self._owner.driver.abandon(execution, StoreError(refused[row.id]))

    def lose(self) -> None:
        """Let go of all that other servers have taken over."""
        driver = self._owner.driver
        for execution in list(driver.executions.values()):
            driver.forget(driver.set_apart(execution))
        self._deferred.clear()
        self.rows.clear()
        self.map_runs.clear()
        self.stuck.clear()

    def abort(self, row: Row, **why: str | None) -> None:
        """End an execution that nothing drives: as the engine does when it is stopped."""
        last = self._store.last_event(row.id)
        times = (event.at for event in self._store.events(row.id, last, last))
        now = max(self._owner.driver.clock.now(), *times)
        details = {name: text for name, text in why.items() if text is not None}
        event = Event(last + 1, 0, "ExecutionAborted", now, details)
        self._store.append(row.id, (Fact("stopped", now, "", details), event))
        row.status, row.stopped = "ABORTED", now
        self._store.update(row)
        self.stuck.pop(row.arn, None)
        self._publish(row, self._store.events(row.id, 1, 1)[0], (event,))

    def forget(self, row: Row) -> None:
        """Delete an execution that ended long ago, and its map runs (fact 522)."""
        self._store.remove(row)
        self._store.drop("redrives", row.arn)
        for document in self._store.documents("map run"):
            if document["execution"] == row.arn:
                self._store.drop("map run", document["arn"])

    def finish_deleting(self, arn: str) -> None:
        """Delete a machine that is being deleted, if none of its executions runs (fact 464)."""
        machine = self.catalogue.machines.get(arn)
        if machine and machine.deleting:
            self.catalogue.lock()
            running = self._store.rows(ListQuery(machine=arn, status="RUNNING", limit=1))
            if arn in self.catalogue.machines and not running:
                self.catalogue.remove(self.catalogue.machines[arn])

    def recover(self, roots: Sequence[str] | None = None) -> list[str]:
        """Let executions of the store continue; return the ARNs of those that are lost.

        `roots`: those of these timelines; without it all.

        Express ones are: AWS runs them at least once or at most once, never exactly once. One that
        can't be restored is set aside by name, and no other.

        Fact 458: an Express execution has nothing that outlives it.
        """
        rows = self._store.running(roots)
        running = [row for row in rows if row.durable]
        # Children of map runs, which earlier versions stored, are run again.
        lost = [row for row in rows if not (row.durable or row.condensable)]
        for row in rows:
            if not row.durable:
                self._store.remove(row)
        for row in lost:
            log.warning("lost, as Express executions are when the server ends: %s", row.arn)
        # The newest first: a nested execution is there before the one that waits for it, so that no
        # chain of them is restored in one another's midst.
        for row in running:
            if row.map_run is None:
                self._or_set_aside(row, lambda row: self._owner.driver.find(row.arn))
        set_aside = self._close_map_runs(roots)
        for row in running:
            if row.map_run is not None and row.arn not in self.rows:
                if parent := set_aside.get(row.map_run):
                    self.stuck[row.arn] = f"{parent}, whose map run it is in, is set aside"
                else:
                    # Its map run was over, and it was about to be stopped.
                    self._or_set_aside(row, self.abort)
        for root in roots or ():
            self.rows.release(root)
        return [row.arn for row in lost]

    def _or_set_aside(self, row: Row, act: Callable[[Row], object]) -> None:
        try:
            act(row)
        except Exception as problem:  # noqa: BLE001  whatever it is, it must not hold up the others
            self.rows.set_aside(row)
            self._owner.driver.executions.pop(row.arn, None)
            self.stuck[row.arn] = str(problem) or type(problem).__name__
            # A line for whoever runs the server: what is wrong is the data, not the code.
            log.error("%s is set aside, it can't be continued: %s", row.arn, problem)  # noqa: TRY400

    def _close_map_runs(self, roots: Sequence[str] | None) -> dict[str, str]:
        """Close map runs that nothing continues; return those whose executions are set aside."""
        here = None if roots is None else set(roots)
        set_aside: dict[str, str] = {}
        for document in self._store.documents("map run"):
            arn, execution = document["arn"], document["execution"]
            if execution in self.stuck:
                set_aside[arn] = execution
            elif document["status"] == "RUNNING" and arn not in self.map_runs:
                row = self._store.row(execution)
                if here is not None and row and row.timeline not in here:
                    continue
                over = {"status": "ABORTED", "stopped": self._owner.driver.clock.now()}
                self._store.put("map run", arn, document | over)
        return set_aside

    # Rows ----------------------------------------------------------------------------------------

    def _row(self, execution: Running, fact: Fact) -> Row | None:
        row = self.rows.get(execution.arn)
        if row is None and fact.kind == "started":
            row = self._new_row(execution, fact.at)
            self.rows.begin(row)
            if not row.condensable:
                self._store.begin(row)
        elif row is None and fact.kind == "redriven":
            row = self._store.row(execution.arn)
        if row is not None:
            self.rows.hold(row)
        return row

    def _new_row(self, execution: Running, at: float) -> Row:
        identity, definition = execution.identity, execution.journal.header.definition
        assert isinstance(definition, Definition)
        line = execution.clock
        assert isinstance(line, Timeline | RealTime)
        return Row(
            id=self._store.next_id(),
            arn=execution.arn,
            machine=identity.machine_arn,
            name=identity.name,
            type=identity.type,
            status="RUNNING",
            started=at,
            identity=dumps({name: getattr(identity, name) for name in Identity.__match_args__}),
            revision=definition.origin.revision,
            version=definition.origin.version,
            alias=definition.origin.alias,
            trace=definition.origin.trace,
            test_case=definition.origin.test_case,
            map_run=identity.map_run,
            clock=line.pace.text,
            root=line.root,
        )

    def _ended(self, execution: Running, row: Row, entries: Sequence[JournalEntry]) -> None:
        row.status, row.stopped = execution.status, entries[-1].at
        self.peers.withdraw_offers(row.id)
        if row.condensable:
            journal = Journal(execution.journal.header, [*execution.journal.facts, *entries])
            self._store.condense(row, journal.condensed())
        elif row.durable:
            self._store.update(row)
        else:
            self._store.remove(row)
        self.safely(lambda: self._let_go(execution))

    def _let_go(self, execution: Running) -> None:
        if execution.ended:
            self.rows.drop(execution.arn, execution.events)
            self._owner.driver.forget(execution)
            if isinstance(execution.clock, Timeline):
                # Time may have stood still for whoever could have answered it.
                execution.clock.look()
            self.finish_deleting(execution.identity.machine_arn)

    def _publish(self, row: Row, first: Event, events: Sequence[Event]) -> None:
        def once_stored(act: Callable[[], None]) -> None:
            self.safely(lambda: None if row.id in self._refused else act())

        guarded(lambda: self._publisher.publish(row, first, events, once_stored))

    # Out of the store ----------------------------------------------------------------------------

    def _restored(self, row: Row, program: Program, definition: Mapping[str, Any]) -> Running:
        journal = self._journal(row, definition)
        clock = self._timelines.clock(Pace.of(row.clock), row.root or row.arn)
        execution = restore(program, journal, clock)
        if isinstance(clock, Timeline):
            clock.not_before(execution.engine.now)
        if not execution.ended and self.peers.owner(row.timeline) is not None:
            # Another server runs it: nothing reaches what was read of it here.
            return self._owner.driver.set_apart(execution)
        if not execution.ended:
            self.rows.hold(row)
            resume_execution(self._owner.driver, execution, self._store.scheduled(row.id))
        return execution

    def _journal(self, row: Row, definition: Mapping[str, Any]) -> Journal:
        header = Header.of(definition, Identity(**loads(row.identity)))
        return Journal(header, self._store.journal(row.id))
