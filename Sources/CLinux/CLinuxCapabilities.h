#pragma once
// Capabilities (capabilities(7)), which glibc leaves to libcap: the system calls themselves. As in CLinux.h, every
// function is static inline.
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The calling thread's sets of capabilities, a bit for each.
struct clinux_capability_sets {
    uint64_t effective, permitted, inheritable;
};
static inline int clinux_get_capabilities(struct clinux_capability_sets *sets) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}
static inline int clinux_set_capabilities(const struct clinux_capability_sets *sets) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable},
        {(uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32), (uint32_t)(sets->inheritable >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}
static inline int clinux_clear_ambient_capabilities(void) {
    return prctl(47 /* PR_CAP_AMBIENT */, 4 /* PR_CAP_AMBIENT_CLEAR_ALL */, 0, 0, 0);
}
static inline int clinux_drop_bounding_capability(int number) {
    return prctl(24 /* PR_CAPBSET_DROP */, number, 0, 0, 0);
}
/// Only who has CAP_SYS_PTRACE in the user namespace that the calling program was started in may look into it from now
/// on (PR_SET_DUMPABLE in prctl(2)).
static inline void clinux_conceal_memory(void) { prctl(4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0); }
/// Lifts the limits of what CAP_SYS_NICE and CAP_IPC_LOCK stand for, as far as the caller may (CAP_SYS_RESOURCE): the
/// kernel looks for those capabilities in the machine's own user namespace only.
static inline void clinux_raise_limits(void) {
    struct {
        int resource;
        rlim_t value;
    } limits[] = {{RLIMIT_RTPRIO, 99}, {RLIMIT_NICE, 40}, {RLIMIT_MEMLOCK, RLIM_INFINITY}};
    for (int i = 0; i < 3; i++) {
        struct rlimit limit = {limits[i].value, limits[i].value};
        setrlimit((__rlimit_resource_t)limits[i].resource, &limit);
    }
}
