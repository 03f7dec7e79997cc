"""The AWS SDK for JavaScript v3 against the server: its page, and every operation of the client."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_emulator import Options, running

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "javascript.md"
URL = "http://127.0.0.1:8083"
PACKAGE = "@aws-sdk/client-sfn"

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="Node.js is not installed"
)


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SDK installed in it, from npm's registry or its cache."""
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "package.json").write_text('{"type": "module"}')
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", PACKAGE]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"npm could not install {PACKAGE}: {installed.stderr[-200:]}")
    return folder


@pytest.fixture
def url() -> Iterator[str]:
    with running(Options(port=0)) as url:
        yield url


def node(folder: Path, script: str) -> str:
    (folder / "script.js").write_text(script)
    environment = {**os.environ, "AWS_EC2_METADATA_DISABLED": "true"}
    ran = subprocess.run(
        ["node", "script.js"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_page_prints_what_it_says(sdk: Path, url: str) -> None:
    page = PAGE.read_text("utf-8")
    script = re.findall(r"^```javascript\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    (printed,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert node(sdk, script.replace(URL, url)) == printed


OPERATIONS = """
import * as all from '@aws-sdk/client-sfn';
const sfn = new all.SFNClient({ endpoint: 'URL', region: 'us-east-1', maxAttempts: 1,
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' }, disableHostPrefix: true });
const send = (name, input = {}) => sfn.send(new all[name + 'Command'](input));
const role = 'arn:aws:iam::123456789012:role/any';
const seen = {};
const ok = async (name, input) => {
  const answer = await send(name, input);
  seen[name] = true;
  return answer;
};
const act = 'arn:aws:states:us-east-1:123456789012:activity:act';
const work_ = { Type: 'Task', Resource: act, End: true };
const definition = JSON.stringify({ StartAt: 'W', States: { W: work_ } });
const { activityArn } = await ok('CreateActivity', { name: 'act' });
await ok('DescribeActivity', { activityArn });
await ok('ListActivities');
await ok('ValidateStateMachineDefinition', { definition });
const own = { name: 'm', definition, roleArn: role };
const { stateMachineArn } = await ok('CreateStateMachine', own);
await ok('DescribeStateMachine', { stateMachineArn });
await ok('ListStateMachines');
await ok('TagResource', { resourceArn: stateMachineArn, tags: [{ key: 'a', value: 'b' }] });
await ok('ListTagsForResource', { resourceArn: stateMachineArn });
await ok('UntagResource', { resourceArn: stateMachineArn, tagKeys: ['a'] });
await ok('UpdateStateMachine', { stateMachineArn, definition: definition.replace('"W"', '"W"') });
const { stateMachineVersionArn } = await ok('PublishStateMachineVersion', { stateMachineArn });
await ok('ListStateMachineVersions', { stateMachineArn });
const routes = [{ stateMachineVersionArn, weight: 100 }];
const live = { name: 'live', routingConfiguration: routes };
const { stateMachineAliasArn } = await ok('CreateStateMachineAlias', live);
await ok('DescribeStateMachineAlias', { stateMachineAliasArn });
await ok('UpdateStateMachineAlias', { stateMachineAliasArn, description: 'd' });
await ok('ListStateMachineAliases', { stateMachineArn });
await ok('DeleteStateMachineAlias', { stateMachineAliasArn });
await ok('DeleteStateMachineVersion', { stateMachineVersionArn });
const started = await ok('StartExecution', { stateMachineArn, input: '{"n":1}' });
const work = await ok('GetActivityTask', { activityArn });
await ok('SendTaskHeartbeat', { taskToken: work.taskToken });
await ok('SendTaskSuccess', { taskToken: work.taskToken, output: work.input });
const { executionArn } = started;
const described = await ok('DescribeExecution', { executionArn });
await ok('DescribeStateMachineForExecution', { executionArn });
const { events } = await ok('GetExecutionHistory', { executionArn });
await ok('ListExecutions', { stateMachineArn });
const second = await send('StartExecution', { stateMachineArn });
const more = await send('GetActivityTask', { activityArn });
await ok('SendTaskFailure', { taskToken: more.taskToken, error: 'E', cause: 'c' });
await ok('RedriveExecution', { executionArn: second.executionArn });
await ok('StopExecution', { executionArn: second.executionArn });
await ok('TestState', { definition: '{"Type":"Pass","Result":1,"End":true}', roleArn: role });
await ok('ListMapRuns', { executionArn });
const pass = '{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}';
const quick = { name: 'e', definition: pass, roleArn: role, type: 'EXPRESS' };
const express = (await send('CreateStateMachine', quick)).stateMachineArn;
const sync = await ok('StartSyncExecution', { stateMachineArn: express, input: '[1]' });
await ok('DeleteStateMachine', { stateMachineArn });
await ok('DeleteActivity', { activityArn });
const none = executionArn.replace(':execution:', ':mapRun:') + ':none';
const refused = {};
for (const name of ['DescribeMapRun', 'UpdateMapRun']) {
  try { await send(name, { mapRunArn: none }); } catch (problem) { refused[name] = problem.name; }
}
const operations = Object.keys(all).filter((name) => /^[A-Z].*Command$/.test(name))
  .map((name) => name.slice(0, -7));
console.log(JSON.stringify({ seen: Object.keys(seen), refused, operations, output: described.output,
  status: described.status, first: events[0].type, started: started.startDate instanceof Date,
  sync: sync.output }));
"""


def test_every_operation_of_the_client_is_answered(sdk: Path, url: str) -> None:
    answer = json.loads(node(sdk, OPERATIONS.replace("URL", url)))
    assert set(answer["operations"]) == {*answer["seen"], *answer["refused"]}
    assert set(answer["refused"].values()) == {"ResourceNotFound"}
    assert (
        answer["status"],
        answer["output"],
        answer["first"],
        answer["started"],
        answer["sync"],
    ) == (
        "SUCCEEDED",
        '{"n":1}',
        "ExecutionStarted",
        True,
        "[1]",
    )
