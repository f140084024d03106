#!/bin/sh
if pgrep -x httpd > /dev/null; then
    echo 0
else
    echo 1
fi
