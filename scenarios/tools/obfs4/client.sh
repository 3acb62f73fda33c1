# obfs4proxy as Tor would start it, and sing-box in Tor's place: it hands each connection to the transport, whose SOCKS port is
# a new one each time and whose arguments go where a user's name and password would (pt-spec.txt section 3.5).
export TOR_PT_MANAGED_TRANSPORT_VER=1 TOR_PT_STATE_LOCATION="$PWD/client-state" TOR_PT_EXIT_ON_STDIN_CLOSE=0
export TOR_PT_CLIENT_TRANSPORTS=obfs4
mkdir -p client-state
obfs4proxy -enableLogging -logLevel INFO >client-state/said &
until grep -q 'CMETHODS DONE' client-state/said; do sleep 0.05; done
port=$(sed -n 's/^CMETHOD obfs4 socks5 127.0.0.1:\([0-9]*\)$/\1/p' client-state/said)
sed "s/\"PORT\"/$port/" client.json >client-state/client.json
exec sing-box run -c client-state/client.json
