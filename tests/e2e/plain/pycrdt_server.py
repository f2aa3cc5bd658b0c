"""A pycrdt-websocket server in memory: `python pycrdt_server.py PORT`."""

import asyncio
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config
from pycrdt.websocket import ASGIServer, WebsocketServer


async def main(port: int) -> None:
    server = WebsocketServer(rooms_ready=True, auto_clean_rooms=False)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    async with server:
        await serve(ASGIServer(server), config, mode="asgi")


asyncio.run(main(int(sys.argv[1])))
