#!/usr/bin/env bash
# ip-lab.sh up|down NODES: the lab as a script builds it that minds its time: everything outside the
# nodes in one `ip -batch`, and one for the inside of each.
set -euo pipefail

nodes=$2
case $1 in
up)
    {
        echo "link add br0 type bridge"
        echo "link set br0 up"
        for ((i = 0; i < nodes; i++)); do echo "netns add node$i"; done
        for ((i = 0; i < nodes; i++)); do
            echo "link add port$i type veth peer name eth0 netns node$i"
            echo "link set port$i master br0 up"
        done
    } | ip -batch -
    for ((i = 0; i < nodes; i++)); do
        printf '%s\n' "link set lo up" "link set eth0 up" \
            "address add 10.0.$(((i + 1) / 256)).$(((i + 1) % 256))/8 dev eth0" |
            ip -n "node$i" -batch -
    done
    ;;
down)
    {
        for ((i = 0; i < nodes; i++)); do echo "netns delete node$i"; done
        echo "link delete br0"
    } | ip -batch -
    ;;
esac
