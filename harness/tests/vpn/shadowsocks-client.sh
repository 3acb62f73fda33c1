# Debian's shadowsocks-libev as a client: a page and a quarter of a megabyte through its SOCKS port.
ss-local -s 185.70.40.11 -p 8388 -k lab -m aes-256-gcm -b 127.0.0.1 -l 1080 &
daemon=$!
status=0
curl -4 -sS -m 6 --retry 20 --retry-connrefused --retry-delay 0 --retry-max-time 5 --socks5 127.0.0.1:1080 --fail https://web.whatsapp.com/ https://web.whatsapp.com/bytes/262144 -o /run/page -o /run/media || status=$?
[ ! -e /run/page ] || cat /run/page
kill "$daemon"
exit "$status"
