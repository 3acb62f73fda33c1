"""A client of Telegram's MTProto transports, written from core.telegram.org/mtproto.

    telegram_client.py ADDRESS PORT abridged|intermediate|padded|obfuscated-abridged|...|unknown

Asks for resPQ and prints what it says; `unknown` sends what no data centre knows and prints the error.
"""

import os
import socket
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TAGS = {"abridged": b"\xef" * 4, "intermediate": b"\xee" * 4, "padded": b"\xdd" * 4}
NONCE = bytes.fromhex("3e0549828cca27e966b301a48fece2fc")


def stream(keys):
    return Cipher(algorithms.AES(keys[:32]), modes.CTR(keys[32:48])).encryptor()


class Plain:
    def __init__(self, connection, framing):
        self.connection, self.framing = connection, framing
        connection.sendall(b"\xef" if framing == "abridged" else TAGS[framing])

    def write(self, data):
        self.connection.sendall(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            assert more, "the server ended the connection"
            data += more
        return data


class Obfuscated(Plain):
    def __init__(self, connection, framing):
        self.connection, self.framing = connection, framing
        forbidden = (b"HEAD", b"POST", b"GET ", b"OPTI", b"\x16\x03\x01\x02", b"\xdd" * 4, b"\xee" * 4)
        first = os.urandom(64)
        while first[:1] == b"\xef" or first[:4] in forbidden or first[4:8] == bytes(4):
            first = os.urandom(64)
        first = first[:56] + TAGS[framing] + struct.pack("<h", 2) + first[62:]
        self.up, self.down = stream(first[8:56]), stream(first[8:56][::-1])
        connection.sendall(first[:56] + self.up.update(first)[56:])

    def write(self, data):
        super().write(self.up.update(data))

    def read(self, size):
        return self.down.update(super().read(size))


def send(transport, payload):
    if transport.framing == "abridged":
        words = len(payload) // 4
        length = bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")
        transport.write(length + payload)
    else:
        padding = os.urandom(5) if transport.framing == "padded" else b""
        transport.write(struct.pack("<I", len(payload) + len(padding)) + payload + padding)


def receive(transport):
    if transport.framing == "abridged":
        length = transport.read(1)[0]
        length = int.from_bytes(transport.read(3), "little") if length == 0x7F else length
        return transport.read(length * 4)
    return transport.read(struct.unpack("<I", transport.read(4))[0])


def main(address, port, mode):
    connection = socket.create_connection((address, int(port)), timeout=10)
    obfuscated = mode.startswith("obfuscated-")
    framing = mode.removeprefix("obfuscated-") if mode != "unknown" else "intermediate"
    transport = (Obfuscated if obfuscated else Plain)(connection, framing)
    if mode == "unknown":
        send(transport, os.urandom(64))
        print("error", struct.unpack("<i", receive(transport)[:4])[0])
        return
    data = struct.pack("<I", 0xBE7E8EF1) + NONCE
    send(transport, struct.pack("<qqI", 0, 0x51E57AC42770964A, len(data)) + data)
    answer = receive(transport)
    key, message, length = struct.unpack("<qqI", answer[:20])
    data = answer[20 : 20 + length]
    assert key == 0 and message % 4 == 1, answer
    constructor, nonce, server_nonce, size = struct.unpack("<I16s16sB", data[:37])
    assert (constructor, nonce, size) == (0x05162463, NONCE, 8), answer
    assert server_nonce != bytes(16)
    vector, count, fingerprint = struct.unpack("<IIQ", data[48:])
    assert (vector, count) == (0x1CB5C415, 1), answer
    print("pq", int.from_bytes(data[37:45], "big"), "fingerprint", f"{fingerprint:x}")


main(*sys.argv[1:])
