"""aioice's STUN, with and without a fingerprint: stun_client.py ADDRESS PORT. Prints whether the answer is about us."""

import socket
import sys

from aioice import stun

address, port = sys.argv[1:]
with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(10)
    client.connect((address, int(port)))
    for integrity in (False, True):
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        if integrity:
            request.attributes["USERNAME"] = "somebody"
            request.add_message_integrity(b"a password that the server does not know")
        client.send(bytes(request))
        answer = stun.parse_message(client.recv(2048))
        assert answer.transaction_id == request.transaction_id
        assert ("FINGERPRINT" in answer.attributes) == integrity
        print(answer.message_class.name, answer.attributes["XOR-MAPPED-ADDRESS"] == client.getsockname()[:2])
