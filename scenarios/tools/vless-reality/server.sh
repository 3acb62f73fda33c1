# Xray first looks for five seconds at what the site that it borrows sends after its handshakes, and holds clients up until then.
# A server that has been up for a while has done so.
xray run -c server.json &
sleep 9
echo the site has been looked at
wait
