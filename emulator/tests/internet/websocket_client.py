"""A WebSocket client: websocket_client.py ADDRESS PORT NAME CA_FILE PATH [ORIGIN]. Prints what comes back, or why not."""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus


async def main(address, port, name, authority, path, origin=None):
    context = ssl.create_default_context(cafile=authority)
    place = {"host": address, "port": int(port), "server_hostname": name, "ssl": context, "proxy": None}
    try:
        async with connect(f"wss://{name}{path}", origin=origin, open_timeout=10, **place) as chat:
            await chat.send("hello")
            print("text", await chat.recv())
            await chat.send(b"\x00\x01" * 40000)
            print("binary", len(await chat.recv()))
            await (await chat.ping())
            print("pong")
    except InvalidStatus as refusal:
        print("refused", refusal.response.status_code)


asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 20))
