#!/bin/sh
# The web server runs where the address is. A backup lets its clients finish first.
case $1 in
master) systemctl start httpd ;;
backup) sleep 2.5; systemctl stop httpd ;;
esac
