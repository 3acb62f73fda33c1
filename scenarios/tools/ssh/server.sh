# OpenSSH's server as root, whose only user is whoever started the lab. It wants its keys to be its own user's alone.
mkdir -p /run/sshd
chmod 700 .
chmod 600 host-key authorized_keys
exec /usr/sbin/sshd -D -e -f sshd_config -o "AuthorizedKeysFile $PWD/authorized_keys" -o "HostKey $PWD/host-key"
