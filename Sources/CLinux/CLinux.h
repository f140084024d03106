#pragma once
// What Swift's Glibc module does not show: GNU-only prototypes, variadic calls as functions, macros as typed
// constants. Headers only, no state: every function is static inline. `_GNU_SOURCE` is not defined here (it would
// make `environ` ambiguous in Swift), so GNU-only functions are declared by hand.
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/ip_vs.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "CLinuxFrames.h"
#include "CLinuxIPv6.h"

extern int setns(int descriptor, int type);
extern int unshare(int flags);
extern int pipe2(int descriptors[2], int flags);
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
extern int malloc_trim(size_t pad);
extern int setxattr(const char *path, const char *name, const void *value, size_t size, int flags);
extern ssize_t sendfile(int out, int in, off_t *offset, size_t count);

// <sched.h>
static const int CLINUX_CLONE_NEWNS = 0x00020000;
static const int CLINUX_CLONE_NEWCGROUP = 0x02000000;
static const int CLINUX_CLONE_NEWUTS = 0x04000000;
static const int CLINUX_CLONE_NEWIPC = 0x08000000;
static const int CLINUX_CLONE_NEWUSER = 0x10000000;
static const int CLINUX_CLONE_NEWPID = 0x20000000;
static const int CLINUX_CLONE_NEWNET = 0x40000000;

// <sys/inotify.h>
static const int CLINUX_IN_CLOEXEC = IN_CLOEXEC;
static const int CLINUX_IN_NONBLOCK = IN_NONBLOCK;

static const int CLINUX_O_PATH = 010000000;
static const int CLINUX_SOCK_CLOEXEC = SOCK_CLOEXEC;
static const int CLINUX_SOCK_NONBLOCK = SOCK_NONBLOCK;
static const int CLINUX_MSG_CMSG_CLOEXEC = 0x40000000;
static const int CLINUX_MSG_NOSIGNAL = MSG_NOSIGNAL;
static const int CLINUX_MSG_DONTWAIT = MSG_DONTWAIT;
static const int CLINUX_MSG_ERRQUEUE = 0x2000;  // MSG_ERRQUEUE
static const int CLINUX_MSG_TRUNC = MSG_TRUNC;
static const int CLINUX_SO_BINDTOIFINDEX = 62;
static const int CLINUX_SO_TIMESTAMPNS = 35;
static const int CLINUX_SO_ATTACH_FILTER = 26;
static const int CLINUX_SO_RCVBUFFORCE = 33;
static const int CLINUX_SO_PEERCRED = 17;
static const int CLINUX_PACKET_OUTGOING = PACKET_OUTGOING;
static const int CLINUX_ETH_P_ALL = ETH_P_ALL;
static const int CLINUX_ETH_P_ARP = ETH_P_ARP;
static const int CLINUX_EPOLL_CLOEXEC = EPOLL_CLOEXEC;
static const uint32_t CLINUX_EPOLLIN = EPOLLIN;
static const uint32_t CLINUX_EPOLLOUT = EPOLLOUT;
static const uint32_t CLINUX_EPOLLPRI = EPOLLPRI;
static const uint32_t CLINUX_EPOLLERR = EPOLLERR;
static const uint32_t CLINUX_EPOLLHUP = EPOLLHUP;
static const uint32_t CLINUX_EPOLLET = EPOLLET;
static const uint32_t CLINUX_EPOLLRDHUP = EPOLLRDHUP;
static const int CLINUX_SFD_FLAGS = SFD_CLOEXEC | SFD_NONBLOCK;
static const int CLINUX_TFD_FLAGS = TFD_CLOEXEC | TFD_NONBLOCK;
static const int CLINUX_TFD_TIMER_ABSTIME = TFD_TIMER_ABSTIME;
static const unsigned long CLINUX_TIOCSCTTY = TIOCSCTTY;
static const unsigned long CLINUX_TIOCGWINSZ = TIOCGWINSZ;
static const unsigned long CLINUX_TIOCSWINSZ = TIOCSWINSZ;
static const unsigned long CLINUX_TIOCSPTLCK = TIOCSPTLCK;
static const unsigned long CLINUX_TIOCGPTPEER = 0x5441;
static const unsigned long CLINUX_TIOCGPTN = TIOCGPTN;
static const int CLINUX_PR_SET_NAME = PR_SET_NAME;
static const int CLINUX_PR_SET_PDEATHSIG = PR_SET_PDEATHSIG;
static const int CLINUX_SOL_NETLINK = 270;
static const int CLINUX_SOL_PACKET = SOL_PACKET;
static const int CLINUX_PACKET_IGNORE_OUTGOING = 23;

static inline int clinux_ioctl_pointer(int descriptor, unsigned long request, void *argument) {
    return ioctl(descriptor, request, argument);
}
static inline int clinux_ioctl_int(int descriptor, unsigned long request, int argument) {
    return ioctl(descriptor, request, argument);
}
static inline int clinux_prctl(int option, unsigned long argument) { return prctl(option, argument, 0, 0, 0); }
static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int clinux_openat(int folder, const char *path, int flags, mode_t mode) {
    return openat(folder, path, flags, mode);
}
/// open(2) of `path` below `folder`, which no `..`, absolute link or mount trick can leave (RESOLVE_BENEATH).
static inline int clinux_open_beneath(int folder, const char *path, int flags, mode_t mode) {
    struct open_how how = {.flags = (uint64_t)(unsigned)flags, .mode = mode, .resolve = RESOLVE_BENEATH};
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}
static inline int clinux_fcntl(int descriptor, int command, int argument) { return fcntl(descriptor, command, argument); }
static inline int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int clinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}
static inline int clinux_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}
/// mount_setattr(2) with AT_RECURSIVE: sets attributes on a mount and all below it.
static inline int clinux_mount_set_recursive(const char *path, uint64_t set) {
    struct { uint64_t attr_set, attr_clr, propagation, userns_fd; } attributes = {set, 0, 0, 0};
    return (int)syscall(442 /* mount_setattr */, AT_FDCWD, path, 0x8000 /* AT_RECURSIVE */, &attributes, sizeof attributes);
}
/// mount_setattr(2): takes attributes from one mount.
static inline int clinux_mount_clear(const char *path, uint64_t clear) {
    struct { uint64_t attr_set, attr_clr, propagation, userns_fd; } attributes = {0, clear, 0, 0};
    return (int)syscall(442 /* mount_setattr */, AT_FDCWD, path, 0, &attributes, sizeof attributes);
}
static const uint64_t CLINUX_MOUNT_ATTR_RDONLY = 1;
static const uint64_t CLINUX_MOUNT_ATTR_NOSUID = 2;
static const uint64_t CLINUX_MOUNT_ATTR_NODEV = 4;
/// open_tree(2) with OPEN_TREE_CLONE: a copy of a mount, and of those below it, that is mounted nowhere yet.
static inline int clinux_clone_mount(const char *path) {
    return (int)syscall(428 /* open_tree */, AT_FDCWD, path,
                        1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | 0x8000 /* AT_RECURSIVE */);
}
/// move_mount(2) of what an open descriptor refers to.
static inline int clinux_attach_mount(int mount, const char *target) {
    return (int)syscall(429 /* move_mount */, mount, "", AT_FDCWD, target, 4 /* MOVE_MOUNT_F_EMPTY_PATH */);
}
static inline int clinux_reap(pid_t pid, int *status) { return waitpid(pid, status, WNOHANG); }
/// How a child ended, without reaping it: 1 it exited with *value, 2 a signal (*value) ended it, 0 it runs, -1 with errno.
static inline int clinux_wait_peek(pid_t pid, int *value) {
    siginfo_t information;
    information.si_pid = 0;
    if (waitid(P_PID, (id_t)pid, &information, WEXITED | WNOHANG | WNOWAIT) < 0) return -1;
    if (information.si_pid == 0) return 0;
    *value = information.si_status;
    return information.si_code == CLD_EXITED ? 1 : 2;
}
static inline int clinux_wait_exited(int status) { return WIFEXITED(status); }
static inline int clinux_wait_status(int status) { return WEXITSTATUS(status); }
static inline int clinux_wait_signal(int status) { return WTERMSIG(status); }
static inline mode_t clinux_umask(mode_t mask) { return umask(mask); }
static inline int clinux_mknod(const char *path, mode_t mode, unsigned major, unsigned minor) {
    return mknod(path, mode, (dev_t)((major << 8) | minor));
}
static inline int clinux_is_folder(mode_t mode) { return S_ISDIR(mode); }
static inline int clinux_is_link(mode_t mode) { return S_ISLNK(mode); }
static inline int clinux_is_file(mode_t mode) { return S_ISREG(mode); }
static inline int clinux_is_fifo(mode_t mode) { return S_ISFIFO(mode); }

/// SO_PEERCRED's answer: struct ucred, which <sys/socket.h> hides without _GNU_SOURCE.
struct clinux_ucred {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};
/// Takes a write lock on a whole file without waiting (F_OFD_SETLK): it belongs to the open file, so it is passed on
/// with the descriptor and goes with the last copy of it.
static inline int clinux_lock(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, 37 /* F_OFD_SETLK */, &lock);
}
/// Whether somebody else holds the write lock: 1 yes, 0 no, -1 with errno.
static inline int clinux_is_locked(int descriptor) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, 36 /* F_OFD_GETLK */, &lock) < 0) return -1;
    return lock.l_type != F_UNLCK;
}

/// Locks an open folder, waiting for whoever has it locked: 0, or -1 with errno.
static inline int clinux_lock_folder(int descriptor) {
    int result;
    do result = flock(descriptor, LOCK_EX);
    while (result < 0 && errno == EINTR);
    return result;
}

// ---- signals ----

/// Blocks every signal in the calling thread but the ones a fault raises.
static inline void clinux_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGTRAP);
    sigdelset(&all, SIGABRT);
    sigprocmask(SIG_SETMASK, &all, NULL);
}
/// A non-blocking descriptor from which the signals numbered in `numbers` are read.
static inline int clinux_signal_descriptor(const int *numbers, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, numbers[i]);
    return signalfd(-1, &set, CLINUX_SFD_FLAGS);
}
static inline int clinux_sigrtmin(void) { return SIGRTMIN; }

// ---- ancillary data ----

/// sendmsg(2) of `length` bytes with `count` descriptors attached.
static inline ssize_t clinux_send_descriptors(
    int socket, const void *bytes, size_t length, const int *descriptors, int count, int flags) {
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    char control[CMSG_SPACE(sizeof(int) * 16)];
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > 16) { errno = EINVAL; return -1; }
    if (count > 0) {
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}
/// recvmsg(2) that collects up to 16 descriptors (close-on-exec) into `descriptors`.
static inline ssize_t clinux_receive_descriptors(
    int socket, void *bytes, size_t length, int *descriptors, int *count, int flags) {
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    char control[CMSG_SPACE(sizeof(int) * 16)];
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    *count = 0;
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int here = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < here && *count < 16; i++)
            memcpy(&descriptors[(*count)++], CMSG_DATA(header) + sizeof(int) * (size_t)i, sizeof(int));
    }
    return received;
}
/// What came with a received frame or netlink message beside its bytes.
struct clinux_receipt {
    int64_t realtime_nanoseconds;  ///< SCM_TIMESTAMPNS: the kernel's stamp; 0 without one.
    int32_t network_namespace_id;  ///< NETLINK_LISTEN_ALL_NSID: the sender's namespace; -1 for the socket's own.
    int32_t flags;                 ///< msg_flags: MSG_TRUNC when the buffer was too small.
    uint32_t netlink_port;         ///< Netlink: the sender's port, 0 for the kernel.
    int32_t interface_index;       ///< Packet socket: the device it entered by.
    int32_t packet_type;           ///< Packet socket: PACKET_HOST, PACKET_OUTGOING...
};
/// recvmsg(2) with the stamps and addresses that packet sockets and netlink sockets deliver.
static inline ssize_t clinux_receive_stamped(
    int socket, void *bytes, size_t length, int flags, struct clinux_receipt *receipt) {
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    char control[256];
    struct sockaddr_storage address;
    struct msghdr message = {
        .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control};
    memset(&address, 0, sizeof address);
    ssize_t received = recvmsg(socket, &message, flags);
    memset(receipt, 0, sizeof *receipt);
    receipt->network_namespace_id = -1;
    if (received < 0) return received;
    receipt->flags = message.msg_flags;
    if (address.ss_family == AF_NETLINK) receipt->netlink_port = ((struct sockaddr_nl *)&address)->nl_pid;
    if (address.ss_family == AF_PACKET) {
        receipt->interface_index = ((struct sockaddr_ll *)&address)->sll_ifindex;
        receipt->packet_type = ((struct sockaddr_ll *)&address)->sll_pkttype;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == 35 /* SCM_TIMESTAMPNS */) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
            receipt->realtime_nanoseconds = (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
        }
        if (header->cmsg_level == 270 /* SOL_NETLINK */ && header->cmsg_type == 8 /* NETLINK_LISTEN_ALL_NSID */)
            memcpy(&receipt->network_namespace_id, CMSG_DATA(header), sizeof(int32_t));
    }
    return received;
}

/// How many frames a packet socket had no room for since the last call (PACKET_STATISTICS); -1 with errno.
static inline int64_t clinux_packet_drops(int socket) {
    struct tpacket_stats statistics;
    socklen_t length = sizeof statistics;
    if (getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) < 0) return -1;
    return statistics.tp_drops;
}

#include "CLinuxSpawn.h"
#include "CLinuxCopy.h"

// ---- inside a node ----

/// A copy of another process's descriptor (pidfd_getfd(2)), close-on-exec.
static inline int clinux_pidfd_getfd(int pidfd, int descriptor) {
    return (int)syscall(438 /* pidfd_getfd */, pidfd, descriptor, 0);
}
/// The local port of a TCP socket that listens; 0 when `socket` is anything else.
static inline int clinux_listening_port(int socket) {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) < 0 || !value) return 0;
    length = sizeof value;
    if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &value, &length) < 0 || value != IPPROTO_TCP) return 0;
    struct sockaddr_storage address;
    length = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &length) < 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}
static const unsigned long CLINUX_TIOCGPGRP = TIOCGPGRP;
static const unsigned CLINUX_S_IFCHR = S_IFCHR;
