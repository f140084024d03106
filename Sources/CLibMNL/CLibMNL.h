#pragma once
// libmnl. The kernel's own structures and numbers are CLinux's, see CLibNL.h.
#include "../CLinux/CLinux.h"
#include <libmnl/libmnl.h>
