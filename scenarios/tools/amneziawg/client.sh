# amneziawg-go as a client, with everything but the server itself sent through the tunnel, as awg-quick does it.
set -e
export WG_PROCESS_FOREGROUND=1 LOG_LEVEL=error
amneziawg-go wg0 &
until [ -S /run/amneziawg/wg0.sock ]; do sleep 0.05; done
python3 awg.py set client.uapi
ip address add 10.66.0.2/32 dev wg0
ip link set wg0 up mtu 1376
ip route add 167.99.70.10 $(ip route show default | cut -d ' ' -f 2-)
ip route add 0.0.0.0/1 dev wg0 src 10.66.0.2
ip route add 128.0.0.0/1 dev wg0 src 10.66.0.2
echo nameserver 8.8.8.8 >/etc/resolv.conf
# The keepalive asks for a handshake at once.
python3 awg.py wait
echo the handshake is done
wait
