# Debian's wireguard-go as a server. The keys protect nothing: they are a lab's.
set -e
export WG_PROCESS_FOREGROUND=1 LOG_LEVEL=error
wireguard-go wg0 &
until [ -S /run/wireguard/wg0.sock ]; do :; done
printf '%s' 'kMgPGZDlrj6EhDxKVxKXWiUB4V2Bx5dGCHLq3d7FbGk=' > /run/key
wg set wg0 listen-port 51820 private-key /run/key peer "$(printf '%s' 'mJ+jDsCnvQqBhYzYp3vCyXBbUjPp6vXBXL2vNPxS52M=' | wg pubkey)" allowed-ips 10.66.0.2/32
ip address add 10.66.0.1/24 dev wg0
ip link set wg0 up
wait
