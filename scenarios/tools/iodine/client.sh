# iodine's client, through DNS alone (-r: no raw UDP), with everything but the server itself sent through the tunnel.
iodine -f -r -P lab 167.99.70.10 tunnel.example &
until ip -4 address show dev dns0 2>/dev/null | grep -q inet; do sleep 0.1; done
ip route add 167.99.70.10 $(ip route show default | cut -d ' ' -f 2-)
ip route add 0.0.0.0/1 dev dns0
ip route add 128.0.0.0/1 dev dns0
echo nameserver 8.8.8.8 >/etc/resolv.conf
wait
