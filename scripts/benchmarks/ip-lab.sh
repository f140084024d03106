#!/usr/bin/env bash
# ip-lab.sh up|down NODES: the lab as a tutorial builds it, one `ip` command for each step.
set -euo pipefail

nodes=$2
case $1 in
up)
    ip link add br0 type bridge
    ip link set br0 up
    for ((i = 0; i < nodes; i++)); do
        ip netns add "node$i"
        ip link add "port$i" type veth peer name eth0 netns "node$i"
        ip link set "port$i" master br0 up
        ip -n "node$i" link set lo up
        ip -n "node$i" address add "10.0.$(((i + 1) / 256)).$(((i + 1) % 256))/8" dev eth0
        ip -n "node$i" link set eth0 up
    done
    ;;
down)
    for ((i = 0; i < nodes; i++)); do
        ip netns delete "node$i"
    done
    ip link delete br0
    ;;
esac
