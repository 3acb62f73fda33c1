"""A WebSocket client: websocket_client.py ADDRESS PORT NAME CA_FILE PATH [ORIGIN]. Prints what comes back, or why not."""

import socket
import ssl
import sys

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


def main(address, port, name, authority, path, origin=None):
    context = ssl.create_default_context(cafile=authority)
    try:
        connection = socket.create_connection((address, int(port)), timeout=10)
        with connect(f"wss://{name}{path}", sock=connection, ssl=context, origin=origin, open_timeout=10) as chat:
            chat.send("hello")
            print("text", chat.recv(timeout=10))
            chat.send(b"\x00\x01" * 40000)
            print("binary", len(chat.recv(timeout=10)))
            chat.ping().wait(10)
            print("pong")
    except InvalidStatus as refusal:
        print("refused", refusal.response.status_code)


main(*sys.argv[1:])
