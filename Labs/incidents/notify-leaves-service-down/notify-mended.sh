#!/bin/sh
# The web server runs where the address is. A backup lets its clients finish first.
exec 9> /run/notify.lock
flock 9
[ "$1" = master ] || sleep 2.5
if ip -o address show to 10.10.10.100 | grep -q .; then
    systemctl start httpd
else
    systemctl stop httpd
fi
