"""A client of the `mcp` package, version 1: calls a tool for each JSON line of its input."""

import asyncio
import sys
from datetime import timedelta

import lines
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client


async def main():
    async with streamablehttp_client(sys.argv[1]) as (read, write, _), ClientSession(read, write) as session:
        initialized = await session.initialize()
        tools = await session.list_tools()
        lines.write({"version": str(initialized.protocolVersion), "tools": [tool.name for tool in tools.tools]})
        async for call in lines.read():
            steps = []

            async def progress(done, total, message):
                steps.append(done)

            patience = call.get("patience_seconds")
            timeout = timedelta(seconds=patience) if patience else None
            try:
                result = await session.call_tool(call["tool"], call["arguments"], timeout, progress)
            except McpError:
                lines.write({"gave_up": True})
                continue
            lines.write({
                "data": result.structuredContent,
                "text": getattr(result.content[0], "text", ""),
                "is_error": result.isError,
                "progress": steps,
                "bytes": lines.size(result),
            })


asyncio.run(main())
