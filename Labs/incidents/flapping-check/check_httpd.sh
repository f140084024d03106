#!/bin/sh
# Whether the web server answers; once it does not, after touch /run/hiccup.
if [ -e /run/hiccup ]; then
    rm /run/hiccup
    exit 1
fi
exec pgrep -x httpd > /dev/null
