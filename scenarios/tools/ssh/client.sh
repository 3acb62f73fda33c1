# `ssh -D`, as people type it; keys in a folder of the lab's own instead of ~/.ssh.
chmod 600 client-key
exec ssh -v -N -D 127.0.0.1:1080 -i client-key -o UserKnownHostsFile=known_hosts -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -F none root@167.99.70.10
