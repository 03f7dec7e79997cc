"""`http:invoke` and `apigateway:invoke`: real requests, to hosts that are allowed.

Sources: AWS's pages of both integrations; the results, and `ApiGateway.NNN`, recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..runtime import Context, TaskFailed
from .families import compact

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PATIENCE = 60.0
"""Seconds until `States.Http.Socket`, whatever TimeoutSeconds says (documented)."""
_FORM = "application/x-www-form-urlencoded"
Arguments = Mapping[str, Any]


class HttpCalls:
    """Answers both integrations."""

    def __init__(
        self,
        allowed: Iterable[str] = (),
        connections: Mapping[str, Arguments] | None = None,
        *,
        anywhere: bool = False,
    ) -> None:
        """Allow hosts beside those of this machine.

        `connections`: what a connection of EventBridge adds, by its name: `headers`, `query`,
        `body`.
        """
        self._allowed = LOOPBACK | {host.lower() for host in allowed}
        self._connections = connections or {}
        self._anywhere = anywhere

    def http_invoke(self, arguments: Arguments, context: Context) -> dict[str, Any]:
        """Make the request of `http:invoke`; raise TaskFailed."""
        connection = self._connection(arguments)
        transform = arguments.get("Transform") or {}
        headers = {**_named(arguments.get("Headers")), **_named(connection.get("headers"))}
        query = {**(arguments.get("QueryParameters") or {}), **(connection.get("query") or {})}
        body = arguments.get("RequestBody")
        if connection.get("body"):
            body = {**(body if isinstance(body, dict) else {}), **connection["body"]}
        content: str | None
        if transform.get("RequestBodyEncoding") == "URL_ENCODED":
            options = transform.get("RequestEncodingOptions") or {}
            content = urlencode(list(_form(body, options.get("ArrayFormat", "INDICES"))))
            headers.setdefault("content-type", _FORM)
        else:
            content = None if body is None else body if isinstance(body, str) else compact(body)
            headers.setdefault("content-type", "application/json")
        region = context.execution_arn.split(":")[3]
        headers.setdefault("user-agent", f"Amazon|StepFunctions|HttpInvoke|{region}")
        headers.setdefault("range", "bytes=0-262144")
        url = str(arguments.get("ApiEndpoint", ""))
        answer = self._request(
            str(arguments.get("Method", "GET")), url, headers, query, content, context
        )
        if not 200 <= answer["StatusCode"] < 300:
            error = f"States.Http.StatusCode.{answer['StatusCode']}"
            raise TaskFailed(error, _body_text(answer))
        return answer

    def api_gateway_invoke(self, arguments: Arguments, context: Context) -> dict[str, Any]:
        """Make the request of `apigateway:invoke`; raise TaskFailed."""
        headers = arguments.get("Headers") or {}
        for name, values in headers.items():
            if not isinstance(values, list):
                # Recorded; there it fails before the task is scheduled.
                text = "The value of the field 'Headers' has an invalid format"
                raise TaskFailed("States.Runtime", text)
            if _is_forbidden(name):
                raise TaskFailed("States.Runtime", f"The header '{name}' may not be given")
        endpoint = str(arguments.get("ApiEndpoint", ""))
        local = endpoint.partition(":")[0] in LOOPBACK
        scheme = "" if "://" in endpoint else "http://" if local else "https://"
        parts = [
            str(arguments[name]).strip("/") for name in ("Stage", "Path") if arguments.get(name)
        ]
        url = "/".join([f"{scheme}{endpoint}".rstrip("/"), *parts])
        body = arguments.get("RequestBody")
        method = str(arguments.get("Method", "GET"))
        content = compact(body) if body is not None and method in ("PATCH", "POST", "PUT") else None
        sent = {name.lower(): ",".join(map(str, values)) for name, values in headers.items()}
        sent.setdefault("content-type", "application/json")
        query = arguments.get("QueryParameters") or {}
        answer = self._request(method, url, sent, query, content, context)
        if not 200 <= answer["StatusCode"] < 300:
            raise TaskFailed(f"ApiGateway.{answer['StatusCode']}", _body_text(answer))
        return answer

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        query: Arguments,
        content: str | None,
        context: Context,
    ) -> dict[str, Any]:
        import httpx

        host = (urlsplit(url).hostname or "").lower()
        if not (self._anywhere or host in self._allowed):
            raise TaskFailed(
                "Doorstep.HostNotAllowed",
                f"the state '{context.state_name}' asks {host or repr(url)}, which is not on this "
                "machine. Allow it (--allow-host, or `allow_hosts` in doorstep.yaml), or give "
                f"the task a mock or a handler: @doorstep.handler({context.state_name!r})",
            )
        try:
            answer = httpx.request(
                method,
                url,
                headers=dict(headers),
                params=_query(query) or None,
                content=content,
                timeout=_PATIENCE,
                follow_redirects=True,
                trust_env=self._anywhere,
            )
        except httpx.HTTPError as problem:
            raise TaskFailed("States.Http.Socket", str(problem)) from None
        return {
            "Headers": {name: answer.headers.get_list(name) for name in answer.headers},
            "ResponseBody": _parsed(answer.text, answer.headers.get("content-type", "")),
            "StatusCode": answer.status_code,
            "StatusText": answer.reason_phrase,
        }

    def _connection(self, arguments: Arguments) -> Arguments:
        for place in ("Authentication", "InvocationConfig"):
            arn = (arguments.get(place) or {}).get("ConnectionArn")
            if arn:
                name = str(arn).partition(":connection/")[2].partition("/")[0] or str(arn)
                return self._connections.get(name, {})
        return {}


def _named(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (headers or {}).items()}


def _query(query: Arguments) -> list[tuple[str, Any]]:
    return [
        (name, one if isinstance(one, str) else compact(one))
        for name, value in query.items()
        for one in (value if isinstance(value, list) else [value])
    ]


def _form(value: Any, arrays: str, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields of a body; `arrays`: INDICES, REPEAT, COMMAS or BRACKETS (documented)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _form(inner, arrays, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        if arrays == "COMMAS":
            yield name, ",".join(map(_plain, value))
            return
        for index, inner in enumerate(value):
            ending = {"INDICES": f"[{index}]", "BRACKETS": "[]"}.get(arrays, "")
            yield from _form(inner, arrays, name + ending)
    elif value is not None:
        yield name, _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)


def _parsed(text: str, content_type: str) -> Any:
    if "json" in content_type:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _body_text(answer: Mapping[str, Any]) -> str:
    body = answer["ResponseBody"]
    return body if isinstance(body, str) else compact(body)


def _is_forbidden(name: str) -> bool:
    lower = name.lower()
    return lower in _FORBIDDEN or lower.startswith(("x-forwarded", "x-amz", "x-amzn"))


_FORBIDDEN = {
    *("authorization", "connection", "content-md5", "expect", "host", "max-forwards"),
    *("proxy-authenticate", "server", "te", "transfer-encoding", "trailer", "upgrade", "via"),
    "www-authenticate",
}
"""Headers that `apigateway:invoke` does not take (documented)."""
