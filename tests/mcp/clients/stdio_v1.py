"""A client of the `mcp` package, version 1, that starts its server: calls a tool for each JSON line, and writes pushes."""

import asyncio
import sys

import anyio
import lines
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def filter_pushes(received, rest):
    """Takes out the pushes, because this version rejects notifications that it does not know."""
    async with received, rest:
        async for message in received:
            content = getattr(message, "message", None)
            content = getattr(content, "root", content)
            if getattr(content, "method", None) == "notifications/claude/channel":
                lines.write({"pushed": content.params})
            else:
                await rest.send(message)


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(server) as (received, write), asyncio.TaskGroup() as tasks:
        rest, read = anyio.create_memory_object_stream(0)
        tasks.create_task(filter_pushes(received, rest))
        async with ClientSession(read, write) as session:
            initialized = await session.initialize()
            tools = await session.list_tools()
            lines.write({
                "version": str(initialized.protocolVersion),
                "tools": [tool.name for tool in tools.tools],
                "experimental": initialized.capabilities.experimental,
            })
            async for call in lines.read():
                result = await session.call_tool(call["tool"], call["arguments"])
                text = result.content[0].text
                lines.write({"data": result.structuredContent, "text": text, "is_error": result.isError})


asyncio.run(main())
