# openvpn as a client. Debian's own script for DNS wants systemd or resolvconf; what it would do is one line.
echo nameserver 8.8.8.8 >/etc/resolv.conf
exec openvpn client.conf
