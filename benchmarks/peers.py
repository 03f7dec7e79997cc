"""Which other tools are installed here; their interpreters of state machines, running a definition.

They write no history, or read none, where ours are measured with it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from measure import Work

_NODE = Path(os.environ.get("DOORSTEP_NODE", "."))
MINISTACK = shutil.which(os.environ.get("DOORSTEP_MINISTACK", "ministack"))
"""Its program."""


def _package(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


HAS_MOTO = _package("moto") and _package("boto3")
HAS_NODE = (_NODE / "node_modules" / "aws-local-stepfunctions").is_dir()
_ALL = {
    "moto": (HAS_MOTO, "pip install '.[local]'"),
    "ministack": (
        MINISTACK is not None,
        "pip install ministack; DOORSTEP_MINISTACK names the program when it has a venv of its own",
    ),
    "aws-local-stepfunctions": (
        HAS_NODE,
        "npm install aws-local-stepfunctions in the folder that DOORSTEP_NODE names",
    ),
    "jsonata-python": (_package("jsonata"), "pip install jsonata-python"),
    "jsonata2py": (_package("jsonata2py"), "pip install jsonata2py"),
    "jlens": (_package("jlens"), "pip install jlens"),
    "jsonatapy": (_package("jsonatapy"), "pip install jsonatapy"),
}


def absent() -> dict[str, str]:
    """Return the peers that are not installed, and how to install them."""
    return {name: how for name, (there, how) in _ALL.items() if not there}


_SCRIPT = """
Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
const { StateMachine } = require("aws-local-stepfunctions");
const [definition, input, names] = JSON.parse(require("fs").readFileSync(0));
const validationOptions = { checkPaths: false, checkArn: false };
const machine = new StateMachine(definition, { validationOptions });
const handlers = Object.fromEntries(names.map((name) => [name, (event) => event]));
const options = { overrides: { taskResourceLocalHandlers: handlers } };
(async () => {
  const begun = process.cpuUsage();
  await machine.run(input, options).result;
  const { user, system } = process.cpuUsage(begun);
  console.log((user + system) / 1e6);
})();
"""


def peers(definition: Any, data: Any, *, scale: float = 1.0, tasks: tuple[str, ...] = ()) -> Any:
    """Return works that run a definition, in seconds times `scale`.

    `tasks`: names of states whose tasks return what they get; only Node's peer can run them here.
    """
    works: dict[str, Work] = {}
    if HAS_NODE:
        works["node"] = lambda: _node(definition, data, tasks) * scale
    if not tasks and HAS_MOTO:
        works["moto"] = lambda: _moto(definition, data) * scale
    return works


def _node(definition: Any, data: Any, tasks: tuple[str, ...]) -> float:
    """Run it in a process of its own; return its processor seconds without its start."""
    ran = subprocess.run(
        ["node", "--stack-size=60000", "-e", _SCRIPT],
        input=json.dumps([definition, data, tasks]),
        cwd=_NODE,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(ran.stdout)


def _moto(definition: Any, data: Any) -> float:
    """Run it in this process, in which moto interprets it in a thread."""
    import boto3
    from moto import mock_aws

    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client(
            "stepfunctions",
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        role = "arn:aws:iam::123456789012:role/any"
        text = json.dumps(definition)
        machine = client.create_state_machine(name="any", definition=text, roleArn=role)
        arn = machine["stateMachineArn"]
        begun = time.process_time()
        execution = client.start_execution(stateMachineArn=arn, input=json.dumps(data))
        while _runs(client, execution["executionArn"]):
            time.sleep(0.02)
        return time.process_time() - begun


def _runs(client: Any, arn: str) -> bool:
    status = client.describe_execution(executionArn=arn)["status"]
    assert status in ("RUNNING", "SUCCEEDED"), status
    return bool(status == "RUNNING")
