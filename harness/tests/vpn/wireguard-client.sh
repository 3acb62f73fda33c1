# Debian's wireguard-go as a client: a page and a quarter of a megabyte through the tunnel. Prints the handshake's time, then what curl got.
set -e
export WG_PROCESS_FOREGROUND=1 LOG_LEVEL=error
wireguard-go wg0 &
daemon=$!
until [ -S /run/wireguard/wg0.sock ]; do :; done
printf '%s' 'mJ+jDsCnvQqBhYzYp3vCyXBbUjPp6vXBXL2vNPxS52M=' > /run/key
wg set wg0 private-key /run/key peer "$(printf '%s' 'kMgPGZDlrj6EhDxKVxKXWiUB4V2Bx5dGCHLq3d7FbGk=' | wg pubkey)" endpoint 185.70.40.11:51820 allowed-ips 0.0.0.0/0
ip address add 10.66.0.2/32 dev wg0
ip link set wg0 up mtu 1420
ip route add 31.13.84.0/24 dev wg0 src 10.66.0.2
status=0
curl -4 -sS -m 6 --fail https://web.whatsapp.com/ https://web.whatsapp.com/bytes/262144 -o /run/page -o /run/media || status=$?
[ ! -e /run/page ] || cat /run/page
echo "handshakes: $(wg show wg0 latest-handshakes | grep -cv '	0$')"
kill "$daemon"
exit "$status"
