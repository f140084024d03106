#!/bin/sh
# Who answers six requests to the address, and how many each.
for _ in 1 2 3 4 5 6; do
    curl --silent http://10.10.10.100/
done | sort | uniq -c
