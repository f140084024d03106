#pragma once
// libnl-3 and libnl-route-3, as Debian ships them. What the headers offer as macros only is added below as functions.
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <netlink/route/neighbour.h>
