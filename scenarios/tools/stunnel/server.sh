# A SOCKS server that only this machine reaches, and stunnel in front of it.
microsocks -i 127.0.0.1 -p 1080 &
exec stunnel server.conf
