#pragma once
// Copies of the calling process; part of CLinux.h.

/// What clinux_copy_process needs.
struct clinux_copy {
    int clone_flags;         ///< CLONE_NEW* flags: the namespaces made for the copy.
    int control_group;       ///< Descriptor of a control group (cgroup v2) that it is to begin in; -1: the caller's.
    const int *descriptors;  ///< The copy's descriptor 3 + i is a copy of descriptors[i]; 0 to 2 stay, all others are closed.
    int descriptor_count;
    // Result:
    int pidfd;
};

/// Copies the calling process, which has one thread, as fork(2) does; the copy leads a session of its own and is the
/// child of the caller's parent, who reaps it. Returns 0 in the copy, its process id in the caller, or -1 with errno:
/// ENOSYS where clone3(2) is not to be had. A copy that cannot get what it needs ends with status 126.
static inline pid_t clinux_copy_process(struct clinux_copy *copy) {
    enum { ABOVE = 64 };
    // struct clone_args of linux/sched.h, up to `cgroup`. To the parent of a sibling it says what its sibling would.
    uint64_t arguments[11] = {(uint64_t)(unsigned)copy->clone_flags | 0x00001000 /* CLONE_PIDFD */ | 0x00008000 /* CLONE_PARENT */,
                              (uint64_t)(uintptr_t)&copy->pidfd};
    if (copy->control_group >= 0) {
        arguments[0] |= 0x200000000 /* CLONE_INTO_CGROUP */;
        arguments[10] = (uint64_t)copy->control_group;
    }
    int copies[16];
    int count = copy->descriptor_count;
    if (count > 16) {
        errno = EINVAL;
        return -1;
    }
    pid_t pid = (pid_t)syscall(435 /* clone3 */, arguments, sizeof arguments);
    if (pid != 0) return pid;
    setsid();
    // First above the targets, so that no target overwrites a source that is still needed.
    for (int i = 0; i < count; i++)
        if ((copies[i] = fcntl(copy->descriptors[i], F_DUPFD, ABOVE)) < 0) _exit(126);
    for (int i = 0; i < count; i++)
        if (dup2(copies[i], 3 + i) < 0) _exit(126);
    if (syscall(436 /* close_range */, (unsigned)(3 + count), ~0u, 0) < 0) _exit(126);
    return 0;
}
