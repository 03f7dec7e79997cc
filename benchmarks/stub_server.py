"""A server that only answers: what it can't do in a second, the client can't ask in a second.

python benchmarks/stub_server.py
"""

from __future__ import annotations

import asyncio
import re

BODY = (
    b'{"executionArn":"arn:aws:states:us-east-1:123456789012:execution:pass:a","status":'
    b'"SUCCEEDED","stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:pass"}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request of a connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            found = LENGTH.search(head)
            await reader.readexactly(int(found[1]) if found else 0)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"Serving at http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
