#!/bin/sh
# A switch that looks at IGMP, and is the querier of its network. All times are in hundredths of a second.
# A new querier floods for as long as answers to its first query may take: so that comes first.
ip link add br0 type bridge mcast_snooping 1 mcast_startup_query_count 1 \
    mcast_query_response_interval 20 mcast_query_interval 100 mcast_membership_interval 200
ip link set br0 type bridge mcast_querier 1
for port in port1 port2; do
    ip link set "$port" master br0 up
done
ip link set br0 up
touch /run/switch
exec sleep infinity
