# What `awg` does for amneziawg-go by its socket; Debian has no amneziawg-tools.
#     awg.py set FILE    gives it a configuration, in the socket's own words
#     awg.py wait        waits for a handshake
import socket
import sys
import time


def ask(request):
    with socket.socket(socket.AF_UNIX) as tunnel:
        tunnel.connect("/run/amneziawg/wg0.sock")
        tunnel.sendall(request)
        answer = b""
        while not answer.endswith(b"\n\n"):
            answer += tunnel.recv(4096)
    lines = answer.decode().split()
    if "errno=0" not in lines:
        sys.exit(f"amneziawg-go refused: {' '.join(lines)}")
    return dict(line.split("=", 1) for line in lines)


if sys.argv[1] == "set":
    with open(sys.argv[2], "rb") as configuration:
        ask(configuration.read())
else:
    while ask(b"get=1\n\n").get("last_handshake_time_sec", "0") == "0":
        time.sleep(0.05)
