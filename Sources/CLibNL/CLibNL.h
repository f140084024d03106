#pragma once
// libnl-3, libnl-route-3 and libnl-genl-3, as Debian ships them. The kernel's own structures and numbers, which their headers include,
// are CLinux's: without this first line each would belong to whichever module the compiler read first.
#include "../CLinux/CLinux.h"
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <netlink/route/neighbour.h>
