"""Local targets of services leave no way to a real account."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

import doorstep
from doorstep.services import Target, services_at_work

pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")


def task(resource: str, parameters: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True}
    return {"StartAt": "T", "States": {"T": {**state, "Parameters": parameters}}}


def test_code_in_handlers_does_not_get_to_aws_with_the_users_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The socket is looked at: nobody resolves the host, and no address is connected to."""
    import boto3

    asked: list[Any] = []

    def resolve(host: Any, *more: Any, **options: Any) -> Any:
        asked.append(host)
        raise OSError("this test has no network")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", lambda _socket, to: asked.append(to))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_PROFILE", "production")

    def careless(event: Any) -> Any:
        url = "https://dynamodb.eu-west-1.amazonaws.com"
        client = boto3.client("dynamodb", "eu-west-1", endpoint_url=url)
        assert client._request_signer._credentials.access_key == "doorstep"
        return client.list_tables()

    definition = task("lambda:invoke", {"FunctionName": "careless"})
    with services_at_work("http://127.0.0.1:9") as at_work:
        execution = doorstep.run(definition, handlers={"careless": careless}, services=at_work)
    assert execution.error
    assert "dynamodb.eu-west-1.amazonaws.com is AWS itself" in (execution.cause or "")
    assert asked == []
    assert os.environ["AWS_PROFILE"] == "production"
    with services_at_work(Target("http://127.0.0.1:9", allow_network=True)):
        with pytest.raises(OSError, match="no network"):
            socket.getaddrinfo("dynamodb.eu-west-1.amazonaws.com", 443)
        assert os.environ["AWS_PROFILE"] == "production"
    assert asked == ["dynamodb.eu-west-1.amazonaws.com"]


def test_a_queues_url_leads_to_the_target() -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        with services_at_work(url) as at_work:
            at_work.client("sqs").create_queue(QueueName="far")
            elsewhere = "https://sqs.us-east-1.amazonaws.com/123456789012/far"
            parameters = {"QueueUrl": elsewhere, "MessageBody": "m"}
            definition = task("aws-sdk:sqs:sendMessage", parameters)
            assert doorstep.run(definition, services=at_work).output["MessageId"]
    finally:
        server.stop()
