#!/bin/sh
if pgrep -x httpd > /dev/null; then
    exit 0
else
    exit 1
fi
