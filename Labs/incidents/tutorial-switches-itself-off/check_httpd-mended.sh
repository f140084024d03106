#!/bin/sh
# Whether the web server runs.
exec pgrep -x httpd > /dev/null
