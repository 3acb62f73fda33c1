# obfs4proxy as a bridge would start it (pt-spec.txt section 3): what comes out of the transport goes to a SOCKS server here.
microsocks -i 127.0.0.1 -p 1080 &
export TOR_PT_MANAGED_TRANSPORT_VER=1 TOR_PT_STATE_LOCATION="$PWD/server-state" TOR_PT_EXIT_ON_STDIN_CLOSE=0
export TOR_PT_SERVER_TRANSPORTS=obfs4 TOR_PT_SERVER_BINDADDR=obfs4-167.99.70.10:443 TOR_PT_ORPORT=127.0.0.1:1080
exec obfs4proxy -enableLogging -logLevel INFO
