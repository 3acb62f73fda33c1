# Debian's openvpn as a client: a page and a quarter of a megabyte through the tunnel. Its first argument is the folder of its keys.
openvpn --dev tun --proto udp --remote 185.70.40.11 1194 --ifconfig 10.66.0.2 10.66.0.1 --tls-client \
    --ca "$1/ca.crt" --cert "$1/client.crt" --key "$1/client.key" --verb 3 --route 31.13.84.0 255.255.255.0 \
    --log /run/openvpn.log &
daemon=$!
tail --pid="$daemon" -n +1 -F /run/openvpn.log 2>/dev/null | grep -q -m1 'Initialization Sequence Completed'
echo "connected"
status=0
curl -4 -sS -m 6 --fail https://web.whatsapp.com/ https://web.whatsapp.com/bytes/262144 -o /run/page -o /run/media || status=$?
[ ! -e /run/page ] || cat /run/page
kill "$daemon"
exit "$status"
