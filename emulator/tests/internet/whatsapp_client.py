"""A client of WhatsApp's native chat, written from the protocol's description and the Noise specification.

    whatsapp_client.py ADDRESS PORT xx|routed|ik HEADER [SERVER_KEY]

HEADER is hexadecimal; SERVER_KEY, the server's static public key, is for `ik`. Prints the server's payload, its static
key and the receipts of two messages.
"""

import socket
import sys

from noise.connection import Keypair, NoiseConnection

CLIENT_KEY = bytes(range(1, 33))


def field(number, content):
    """A length-delimited protobuf field."""
    length, size = b"", len(content)
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def fields(message):
    """The length-delimited fields of a protobuf message."""
    found, at = {}, 0
    while at < len(message):
        key, at = message[at], at + 1
        assert key & 7 == 2, f"wire type {key & 7}"
        size = shift = 0
        while True:
            byte, at = message[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found[key >> 3] = message[at : at + size]
        at += size
    return found


class Chat:
    def __init__(self, address, port):
        self.socket = socket.create_connection((address, port), timeout=10)

    def send(self, content):
        self.socket.sendall(len(content).to_bytes(3, "big") + content)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "the server ended the connection"
            data += more
        return data

    def receive(self):
        return self.exactly(int.from_bytes(self.exactly(3), "big"))


def main(address, port, mode, header, server_key=None):
    pattern = b"Noise_IK_25519_AESGCM_SHA256" if mode == "ik" else b"Noise_XX_25519_AESGCM_SHA256"
    noise = NoiseConnection.from_name(pattern)
    noise.set_as_initiator()
    noise.set_prologue(bytes.fromhex(header))
    noise.set_keypair_from_private_bytes(Keypair.STATIC, CLIENT_KEY)
    if mode == "ik":
        noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, bytes.fromhex(server_key))
    noise.start_handshake()

    chat = Chat(address, int(port))
    if mode == "routed":
        routing = b"\x08\x02\x08\x05"
        chat.socket.sendall(b"ED\x00\x01" + len(routing).to_bytes(3, "big") + routing)
    chat.socket.sendall(bytes.fromhex(header))

    if mode == "ik":
        hello = bytes(noise.write_message(b"a client that was here before"))
        parts = field(1, hello[:32]) + field(2, hello[32:80]) + field(3, hello[80:])
    else:
        parts = field(1, bytes(noise.write_message()))
    chat.send(field(2, parts))

    answer = fields(fields(chat.receive())[3])
    message = b"".join(answer.get(number, b"") for number in (1, 2, 3))
    print("payload", bytes(noise.read_message(message)).decode())
    if mode != "ik":
        print("key", noise.noise_protocol.handshake_state.rs.public_bytes.hex())
        finish = bytes(noise.write_message(b"a new client"))
        chat.send(field(4, field(1, finish[:48]) + field(2, finish[48:])))

    assert noise.handshake_finished
    for text in (b"hello", b"x" * 3000):
        chat.send(noise.encrypt(text))
        receipt = noise.decrypt(chat.receive())
        assert receipt == b"ack:" + text, receipt
        print("receipt", len(receipt))


main(*sys.argv[1:])
