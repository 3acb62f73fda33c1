"""Telethon, a client library of Telegram's, asks for resPQ: telethon_client.py ADDRESS PORT."""

import asyncio
import logging
import os
import sys
from collections import defaultdict

from telethon.network import MTProtoPlainSender
from telethon.network.connection import ConnectionTcpAbridged, ConnectionTcpIntermediate, ConnectionTcpObfuscated
from telethon.tl.functions import ReqPqMultiRequest


async def main(address, port):
    loggers = defaultdict(lambda: logging.getLogger("telethon"))
    for transport in (ConnectionTcpAbridged, ConnectionTcpIntermediate, ConnectionTcpObfuscated):
        connection = transport(address, int(port), 2, loggers=loggers)
        await connection.connect(timeout=10)
        nonce = int.from_bytes(os.urandom(16), "big", signed=True)
        answer = await MTProtoPlainSender(connection, loggers=loggers).send(ReqPqMultiRequest(nonce))
        print(transport.__name__, type(answer).__name__, answer.nonce == nonce)
        await connection.disconnect()


asyncio.run(main(*sys.argv[1:]))
