#pragma once
// Filters of system calls (seccomp(2)). As in CLinux.h, every function is static inline.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
static const uint32_t CLINUX_AUDIT_ARCH = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
static const uint32_t CLINUX_AUDIT_ARCH = AUDIT_ARCH_AARCH64;
#else
#error "which AUDIT_ARCH_ is this machine's?"
#endif

static const uint32_t CLINUX_SYS_ADD_KEY = SYS_add_key;
static const uint32_t CLINUX_SYS_REQUEST_KEY = SYS_request_key;
static const uint32_t CLINUX_SYS_KEYCTL = SYS_keyctl;
static const uint32_t CLINUX_SYS_BPF = SYS_bpf;
static const uint32_t CLINUX_SYS_PERF_EVENT_OPEN = SYS_perf_event_open;
static const uint32_t CLINUX_SYS_USERFAULTFD = SYS_userfaultfd;
static const uint32_t CLINUX_SYS_IO_URING_SETUP = 425;
static const uint32_t CLINUX_SYS_OPEN_BY_HANDLE_AT = SYS_open_by_handle_at;
static const uint32_t CLINUX_SYS_CLONE = SYS_clone;
static const uint32_t CLINUX_SYS_CLONE3 = 435;
static const uint32_t CLINUX_SYS_UNSHARE = SYS_unshare;
static const uint32_t CLINUX_SYS_SOCKET = SYS_socket;
static const uint32_t CLINUX_SYS_IOCTL = SYS_ioctl;
static const uint32_t CLINUX_SYS_CAPSET = SYS_capset;
static const uint32_t CLINUX_SECCOMP_RET_ALLOW = SECCOMP_RET_ALLOW;
static const uint32_t CLINUX_SECCOMP_RET_ERRNO = SECCOMP_RET_ERRNO;

/// Has every system call of the calling thread, and of all that it will ever start, pass a filter. It takes
/// CAP_SYS_ADMIN or clinux_no_new_privileges(). Without SPEC_ALLOW kernels before 5.16 would slow the programs down for
/// the sake of those who run others' code in their own memory.
static inline int clinux_filter_system_calls(const struct sock_filter *instructions, unsigned short count) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
    return (int)syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, 4 /* SECCOMP_FILTER_FLAG_SPEC_ALLOW */, &program);
}
static inline int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
/// Has changes of the user id leave the thread's capabilities as they are, in what it starts as well (capabilities(7),
/// SECBIT_NO_SETUID_FIXUP).
static inline int clinux_keep_capabilities(void) {
    return prctl(PR_SET_SECUREBITS, 1 << 2 /* SECBIT_NO_SETUID_FIXUP */, 0, 0, 0);
}
