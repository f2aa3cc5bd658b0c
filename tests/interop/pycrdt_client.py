"""A pycrdt client, as pycrdt-websocket documents it: writes a word, waits until it has another one, and says what it has.

    python3 pycrdt_client.py ws://HOST/ws/scenes/ROOM MINE THEIRS
"""

import sys

import anyio
from httpx_ws import aconnect_ws
from pycrdt import Doc, Provider, Text
from pycrdt.websocket.websocket import HttpxWebsocket


async def main(url, mine, theirs):
    # It draws an id of 53 bits.
    doc = Doc()
    text = doc["text"] = Text()
    async with aconnect_ws(url) as websocket:
        async with Provider(doc, HttpxWebsocket(websocket, url)):
            text += mine
            with anyio.fail_after(60):
                while theirs not in str(text):
                    await anyio.sleep(0.05)
            print(str(text), flush=True)
            # Until who started it has seen enough.
            await anyio.to_thread.run_sync(sys.stdin.read)


anyio.run(main, *sys.argv[1:])
