#!/bin/sh
# Whether the web server runs, under its unit's name.
exec pgrep -x httpd > /dev/null
