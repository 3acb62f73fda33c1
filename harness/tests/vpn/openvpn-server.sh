# Debian's openvpn as a server, in TLS mode over UDP. Its first argument is the folder of its keys.
exec openvpn --dev tun --proto udp --port 1194 --ifconfig 10.66.0.1 10.66.0.2 --tls-server --dh none \
    --ca "$1/ca.crt" --cert "$1/server.crt" --key "$1/server.key" --verb 3
