# amneziawg-go as a server: the inner addresses are the lab's to route, so there is no NAT.
set -e
export WG_PROCESS_FOREGROUND=1 LOG_LEVEL=error
amneziawg-go wg0 &
until [ -S /run/amneziawg/wg0.sock ]; do sleep 0.05; done
python3 awg.py set server.uapi
ip address add 10.66.0.1/24 dev wg0
ip link set wg0 up mtu 1376
wait
