"""boto3, the AWS CLI and the SDK for JavaScript use one endpoint: what one writes another reads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from doorstep.services import services_at_work
from doorstep.services.target import wsgi

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'doorstep[local]'")
pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")
emulator = pytest.importorskip("doorstep_emulator", reason="doorstep[server] is not installed")
requests = pytest.importorskip("doorstep_emulator.requests")

PACKAGES = [f"@aws-sdk/client-{name}" for name in ("dynamodb", "s3", "sfn", "sqs")]
KEYS = {
    "AWS_ACCESS_KEY_ID": "doorstep",
    "AWS_SECRET_ACCESS_KEY": "doorstep",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
READ = """
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3';
import { SFNClient, DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { SQSClient, GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
const s3 = new S3Client({ forcePathStyle: true });
const object = await s3.send(new GetObjectCommand({ Bucket: 'bills', Key: 'k' }));
const dynamodb = new DynamoDBClient({});
const key = { id: { S: '7' } };
const { Item } = await dynamodb.send(new GetItemCommand({ TableName: 'orders', Key: key }));
const sqs = new SQSClient({});
const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'jobs' }));
const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
const sfn = new SFNClient({});
const arn = { executionArn: process.argv[2] };
let execution;
do execution = await sfn.send(new DescribeExecutionCommand(arn)); while (!execution.output);
console.log(JSON.stringify([await object.Body.transformToString(), Item.n.N, Messages[0].Body,
  execution.output]));
"""


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SDK installed in it, from npm's registry or its cache."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js is not installed")
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "package.json").write_text('{"type": "module"}')
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", *PACKAGES]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"npm could not install {PACKAGES}: {installed.stderr[-200:]}")
    return folder


def ran(command: list[str], url: str, folder: Path) -> Any:
    environment = {**os.environ, **KEYS, "AWS_ENDPOINT_URL": url}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout) if result.stdout.strip() else None


@pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not installed")
def test_three_clients_share_buckets_tables_queues_and_machines(sdk: Path) -> None:
    options = emulator.Options()
    machines = requests.ServerMachines(options.owner)
    with (
        services_at_work("moto", machines=machines) as services,
        emulator.running(
            emulator.Options(port=0, machines=machines, others=services.account.before(wsgi()))
        ) as url,
    ):

        def client(service: str) -> Any:
            return boto3.client(service, endpoint_url=url)

        def aws(*arguments: str) -> Any:
            return ran(["aws", "--endpoint-url", url, *arguments], url, sdk)

        client("s3").create_bucket(Bucket="bills")
        client("dynamodb").create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        queue = client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
        machine = client("stepfunctions").create_state_machine(
            name="m",
            roleArn="arn:aws:iam::123456789012:role/r",
            definition='{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}',
        )["stateMachineArn"]

        (sdk / "body").write_text("a bill")
        aws("s3api", "put-object", "--bucket", "bills", "--key", "k", "--body", "body")
        item = '{"id": {"S": "7"}, "n": {"N": "3"}}'
        aws("dynamodb", "put-item", "--table-name", "orders", "--item", item)
        aws("sqs", "send-message", "--queue-url", queue, "--message-body", "work")
        started = aws(
            *("stepfunctions", "start-execution", "--state-machine-arn", machine),
            *("--input", '{"paid": true}'),
        )

        (sdk / "read.js").write_text(READ)
        read = ran(["node", "read.js", started["executionArn"]], url, sdk)
    assert read == ["a bill", "3", "work", '{"paid":true}']
