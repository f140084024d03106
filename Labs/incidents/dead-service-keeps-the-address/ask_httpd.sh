#!/bin/sh
# Whether the web server answers within two seconds.
exec curl -sf -m 2 -o /dev/null http://127.0.0.1/
