# Gives amneziawg-go its configuration, as `awg setconf` would; Debian has no amneziawg-tools.
import socket
import sys

tunnel = socket.socket(socket.AF_UNIX)
tunnel.connect("/run/amneziawg/wg0.sock")
with open(sys.argv[1], "rb") as configuration:
    tunnel.sendall(configuration.read())
answer = tunnel.recv(4096).decode().strip()
if answer != "errno=0":
    sys.exit(f"amneziawg-go refused {sys.argv[1]}: {answer}")
