#!/bin/bash
# Debian's apache2 in the foreground, as a process that `ps` calls httpd.
. /etc/apache2/envvars
mkdir -p "$APACHE_RUN_DIR"
exec -a httpd apache2 -DFOREGROUND
