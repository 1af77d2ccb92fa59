"""A client of the `mcp` package, version 2, that starts its server: calls a tool for each JSON line, and writes pushes."""

import asyncio
import sys
from typing import Any

import lines
from mcp import Client, StdioServerParameters
from mcp.client import ClientExtension, NotificationBinding
from pydantic import BaseModel


class Pushed(BaseModel):
    content: str
    meta: dict[str, Any]


async def write_push(pushed):
    lines.write({"pushed": pushed.model_dump()})


class Channel(ClientExtension):
    identifier = "io.github.rogerrat/channel"

    def notifications(self):
        return [NotificationBinding(method="notifications/claude/channel", params_type=Pushed, handler=write_push)]


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with Client(server, extensions=[Channel()]) as client:
        tools = await client.list_tools()
        lines.write({
            "version": str(client.protocol_version),
            "tools": [tool.name for tool in tools.tools],
            "experimental": client.server_capabilities.experimental,
        })
        async for call in lines.read():
            result = await client.call_tool(call["tool"], call["arguments"])
            text = result.content[0].text
            lines.write({"data": result.structured_content, "text": text, "is_error": bool(result.is_error)})


asyncio.run(main())
