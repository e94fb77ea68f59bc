"""A server of tools by the protocol's own Python package: `server.py stdio`, or `server.py http PORT` with /mcp."""

import asyncio
import os
import sys

from mcp.server import MCPServer

server = MCPServer("peer", version="1.0")


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def weather(city: str) -> str:
    """The weather of a city."""
    return f"It is sunny in {city}."


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("no such order")


@server.tool()
async def slow(seconds: float) -> str:
    """Takes its time."""
    await asyncio.sleep(seconds)
    return "At last."


@server.tool()
def environment(name: str) -> str:
    """Tells a variable."""
    return os.environ.get(name, "unset")


@server.tool()
def die() -> str:
    """Ends the server."""
    os._exit(3)


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
