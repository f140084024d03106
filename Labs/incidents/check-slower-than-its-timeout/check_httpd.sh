#!/bin/sh
# Whether the web server runs; after touch /run/busy the machine is so busy that it takes long to tell.
[ ! -e /run/busy ] || sleep 2
exec pgrep -x httpd > /dev/null
