#!/bin/bash
# Whether the web server runs: keepalived lowers the priority of a server without one by 20.
httpd_status=$(ps -ef | grep -Ev "grep|$0" | grep '\bhttpd\b' | wc -l)
if [ $httpd_status -lt 1 ]; then
    exit 1
fi
