#pragma once
// System calls and constants that Swift's Glibc module does not show: GNU-only prototypes, variadic calls as
// functions, macros as typed constants. No state; everything is static inline.
#include <errno.h>
#include <stdint.h>
#include <sys/types.h>
extern int setns(int descriptor, int type);
extern int unshare(int flags);
