"""Exploring: a state machine driven by itself through its choices, errors, timeouts and sizes.

explorer  the whole: search, then findings, each with the least that shows it
search    the loop: run a script, see what it used, derive scripts for what no run has used yet
goals     scripts for a rule, an error, a timeout, a size of a Map
choosing  data with which a rule of a Choice holds
mending   a state failed over its data: what was lacking, and a script that has it

script    an input and the world's answers; the least of one that still shows a thing
subject   the definition, compiled once, run with scripts in virtual time
run       what became of one script: its calls, and the states that it went through

flow          where a value comes from: the algebra
flow_jsonpath, flow_jsonata  read off expressions
flow_states   read off the fields of a state
tracing       followed back through a run to the input or an answer

evidence   what the runs showed
verdicts   from that to findings
unreached  parts that no run reached, and why
twice      tasks that may be carried out twice, read off the definition or tried on handlers
findings   the report, as data, JSON and MockConfigFile.json
"""

from __future__ import annotations

from .explorer import explore
from .findings import Exploration, Finding, Place

__all__ = ["Exploration", "Finding", "Place", "explore"]
