"""A client of the `mcp` package, version 1, that starts its server itself: calls the tools it is told, and tells what is pushed."""

import asyncio
import sys

import anyio
import lines
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def sift(came, rest):
    """Takes out what is pushed; this version knows no notification that is not its own."""
    async with came, rest:
        async for message in came:
            said = getattr(message, "message", None)
            said = getattr(said, "root", said)
            if getattr(said, "method", None) == "notifications/claude/channel":
                lines.say({"pushed": said.params})
            else:
                await rest.send(message)


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(server) as (came, write), asyncio.TaskGroup() as tasks:
        rest, read = anyio.create_memory_object_stream(0)
        tasks.create_task(sift(came, rest))
        async with ClientSession(read, write) as session:
            began = await session.initialize()
            tools = await session.list_tools()
            lines.say({
                "version": str(began.protocolVersion),
                "tools": [tool.name for tool in tools.tools],
                "experimental": began.capabilities.experimental,
            })
            async for ask in lines.asked():
                result = await session.call_tool(ask["tool"], ask["arguments"])
                lines.say({"data": result.structuredContent, "is_error": result.isError})


asyncio.run(main())
