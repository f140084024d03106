#pragma once
// Starting programs; part of CLinux.h.

/// What clinux_spawn needs; every pointer stays valid until it returns.
struct clinux_spawn {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *working_directory;  ///< NULL: the caller's.
    int clone_flags;                ///< CLONE_NEW* flags: the namespaces made for the child.
    int network_namespace;          ///< Descriptor of a network namespace to enter first; -1: none.
    int user_namespace;             ///< Descriptor of a user namespace to enter; -1: none.
    uint64_t kept_capabilities;     ///< Where it enters one: the bounding set that it has there.
    const int *descriptors;         ///< The child's descriptor i is a copy of descriptors[i]; all others are closed.
    int descriptor_count;
    int control_group;              ///< Descriptor of a control group (cgroup v2) that it is to be in; -1: the caller's.
    int new_session;                ///< setsid(2).
    int controlling_terminal;       ///< Makes descriptor 0 the session's controlling terminal.
    int parent_death_signal;        ///< PR_SET_PDEATHSIG; 0: none.
    int file_mode_mask;             ///< umask(2); -1: the caller's.
    int has_identity;               ///< Whether uid, gid and groups are set.
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    int group_count;
    // For clinux_spawn_apart alone:
    int is_apart;   ///< Whether the child has memory of its own.
    int go;         ///< Pipe from which the child reads a byte before it goes on.
    int go_writer;  ///< Its other end, which the child closes: with the last copy of it the child ends.
    int report;     ///< Pipe on which the child tells errno and stage of what failed; execve closes it.
    // Results:
    int pidfd;
    int is_in_group;  ///< Whether it has begun in control_group.
    int error;  ///< errno of the step that failed in the child.
    int stage;  ///< Which: 1 namespace, 2 descriptors, 3 terminal, 4 identity, 5 folder, 6 execve, 7 user namespace.
};

static inline int clinux_spawn_fail(struct clinux_spawn *spawn, int stage) {
    spawn->error = errno;
    spawn->stage = stage;
    if (spawn->is_apart) {
        int told[2] = {spawn->error, stage};
        if (write(spawn->report, told, sizeof told) < 0) _exit(126);
    }
    _exit(127);
}

/// Enters the child's user namespace. There it has every capability, until execve(2) gives it what it is to keep: so
/// nobody inside may trace it as long as its memory is its parent's (ptrace(2), "Ptrace access mode checking").
static inline int clinux_spawn_enter_users(struct clinux_spawn *spawn) {
    if (setns(spawn->user_namespace, CLINUX_CLONE_NEWUSER) < 0) return -1;
    for (int number = 0; number < 64; number++) {
        if (spawn->kept_capabilities >> number & 1) continue;
        // EINVAL: the kernel has no more of them.
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0) return errno == EINVAL ? 0 : -1;
    }
    return 0;
}

// Runs in the child, on its own stack but in the parent's memory (the parent is suspended until execve or _exit), so
// it calls async-signal-safe functions only and may leave its errors in *spawn.
static inline int clinux_spawn_child(void *argument) {
    struct clinux_spawn *spawn = argument;
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < 65; number++) sigaction(number, &standard, NULL);
    if (spawn->network_namespace >= 0 && setns(spawn->network_namespace, CLINUX_CLONE_NEWNET) < 0)
        return clinux_spawn_fail(spawn, 1);
    if (spawn->user_namespace >= 0 && clinux_spawn_enter_users(spawn) < 0) return clinux_spawn_fail(spawn, 7);
    if (spawn->new_session) setsid();
    if (spawn->file_mode_mask >= 0) umask((mode_t)spawn->file_mode_mask);
    // First copy all sources above the targets, so that no dup2 overwrites a source that is still needed.
    int copies[256];
    int count = spawn->descriptor_count;
    if (count > 256) { errno = EINVAL; return clinux_spawn_fail(spawn, 2); }
    for (int i = 0; i < count; i++) {
        copies[i] = fcntl(spawn->descriptors[i], F_DUPFD_CLOEXEC, count);
        if (copies[i] < 0) return clinux_spawn_fail(spawn, 2);
    }
    int report = spawn->is_apart ? fcntl(spawn->report, F_DUPFD_CLOEXEC, count) : -1;
    for (int i = 0; i < count; i++)
        if (dup2(copies[i], i) < 0) return clinux_spawn_fail(spawn, 2);
    int kept = count;
    if (spawn->is_apart) {
        // Right behind the descriptors, where the copies are that nobody needs any more.
        if (dup2(report, count) < 0 || fcntl(count, F_SETFD, FD_CLOEXEC) < 0) return clinux_spawn_fail(spawn, 2);
        spawn->report = count;
        kept++;
    }
    if (syscall(436 /* close_range */, (unsigned)kept, ~0u, 0) < 0) return clinux_spawn_fail(spawn, 2);
    if (spawn->controlling_terminal && ioctl(0, TIOCSCTTY, 0) < 0) return clinux_spawn_fail(spawn, 3);
    if (spawn->has_identity) {
        if (syscall(SYS_setgroups, spawn->group_count, spawn->groups) < 0 || syscall(SYS_setgid, spawn->gid) < 0 ||
            syscall(SYS_setuid, spawn->uid) < 0)
            return clinux_spawn_fail(spawn, 4);
    }
    // After the change of user, which clears it.
    if (spawn->parent_death_signal) prctl(PR_SET_PDEATHSIG, spawn->parent_death_signal, 0, 0, 0);
    if (spawn->working_directory && chdir(spawn->working_directory) < 0) return clinux_spawn_fail(spawn, 5);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(spawn->path, spawn->arguments, spawn->environment);
    return clinux_spawn_fail(spawn, 6);
}

/// Starts the child of clinux_spawn in its control group, which only clone3(2) can: -1 with errno, ENOSYS where that
/// is not to be had.
///
/// To be moved into a group later is dear: whoever moves waits for an RCU grace period, and all who fork wait for it.
/// As with vfork(2) the child is on the parent's stack, below this frame, which neither leaves before it has done.
__attribute__((noinline)) static pid_t clinux_spawn_in_group(struct clinux_spawn *spawn, int flags) {
    // struct clone_args of linux/sched.h, up to `cgroup`.
    uint64_t arguments[11] = {
        (uint64_t)(unsigned)(flags & ~0xff) | 0x200000000 /* CLONE_INTO_CGROUP */, (uint64_t)(uintptr_t)&spawn->pidfd, 0, 0,
        SIGCHLD, 0, 0, 0, 0, 0, (uint64_t)spawn->control_group};
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(435L /* clone3 */), "D"(arguments), "S"(sizeof arguments)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long number __asm__("x8") = 435;
    register long result __asm__("x0") = (long)arguments;
    register long size __asm__("x1") = sizeof arguments;
    __asm__ volatile("svc 0" : "+r"(result) : "r"(number), "r"(size) : "memory");
#else
    long result = -ENOSYS;
#endif
    if (result == 0) _exit(clinux_spawn_child(spawn));
    if (result > 0) return (pid_t)result;
    errno = (int)-result;
    return -1;
}

/// Starts a program as posix_spawn(3) would (shared memory, suspended parent: no copy of page tables), with what
/// posix_spawn lacks: new namespaces, a pidfd, and every other descriptor closed. Returns the process id, or -1 with
/// errno set and spawn->stage naming the step (0: clone itself).
static inline pid_t clinux_spawn(struct clinux_spawn *spawn) {
    const size_t size = 128 * 1024;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) return -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    spawn->pidfd = -1;
    spawn->error = 0;
    spawn->stage = 0;
    int flags = 0x00000100 /* CLONE_VM */ | 0x00004000 /* CLONE_VFORK */ | 0x00001000 /* CLONE_PIDFD */ | SIGCHLD;
    pid_t pid = -1;
    if (spawn->control_group >= 0) pid = clinux_spawn_in_group(spawn, flags | spawn->clone_flags);
    spawn->is_in_group = pid > 0;
    // Who must do without clone3(2), as in some sandboxes, or may not begin there, begins where the caller is.
    if (pid < 0) pid = clone(clinux_spawn_child, stack + size, flags | spawn->clone_flags, spawn, &spawn->pidfd);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    munmap(stack, size);
    if (pid < 0) {
        errno = error;
        return -1;
    }
    if (spawn->error) {
        int status;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
        close(spawn->pidfd);
        errno = spawn->error;
        return -1;
    }
    return pid;
}

// Runs in the child of clinux_spawn_apart, in memory of its own: async-signal-safe functions only, all the same.
static inline int clinux_spawn_child_apart(void *argument) {
    struct clinux_spawn *spawn = argument;
    char go;
    ssize_t count;
    close(spawn->go_writer);
    do count = read(spawn->go, &go, 1);
    while (count < 0 && errno == EINTR);
    if (count != 1) _exit(127);
    // Clocks of the child's own, which show what the machine's do: only to the time namespace of one's own user
    // namespace is there a way back (timens_install, kernel/time/namespace.c). A kernel without them has no clocks
    // that are off.
    if (unshare(0x80 /* CLONE_NEWTIME */) == 0) {
        int clocks = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
        if (clocks >= 0) setns(clocks, 0x80);
        if (clocks >= 0) close(clocks);
    }
    return clinux_spawn_child(spawn);
}

/// Begins to start a program in namespaces that need something to be done from outside first, as a user namespace whose
/// maps are written by its parent: the child waits for a byte on spawn->go, and ends when nobody is left who could
/// write it. Unlike with clinux_spawn the parent goes on at once, so the child is a copy of it (as of fork(2)). Whether
/// it has become the program is read from spawn->report: nothing but the end when it has, else errno and stage as two
/// ints. Returns the process id, or -1 with errno set.
static inline pid_t clinux_spawn_apart(struct clinux_spawn *spawn) {
    const size_t size = 128 * 1024;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) return -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    spawn->is_apart = 1;
    spawn->pidfd = -1;
    spawn->error = 0;
    spawn->stage = 0;
    int flags = 0x00001000 /* CLONE_PIDFD */ | SIGCHLD;
    pid_t pid = clone(clinux_spawn_child_apart, stack + size, flags | spawn->clone_flags, spawn, &spawn->pidfd);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    munmap(stack, size);
    errno = error;
    return pid;
}

/// A process that does nothing but keep new namespaces until it is ended.
struct clinux_holder {
    pid_t pid;
    int pidfd;
    char *stack;
};

static const size_t CLINUX_HOLDER_STACK = 16 * 1024;

// Runs in the holder, in its parent's memory, which its death signal and its parent's wait keep for it.
static inline int clinux_hold_child(void *parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    // A parent that has ended before that sends no more signals.
    if (getppid() != (pid_t)(intptr_t)parent) return 0;
    for (;;) pause();
}

/// Makes namespaces and a process in them that lives until clinux_release, or until the calling thread ends. It shares
/// the caller's memory and descriptors, so that it costs no copies. 0, or -1 with errno.
static inline int clinux_hold(struct clinux_holder *holder, int clone_flags) {
    holder->stack = mmap(NULL, CLINUX_HOLDER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (holder->stack == MAP_FAILED) return -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    holder->pidfd = -1;
    // No signal tells of its end: nobody who waits for children of other kinds is to meet it.
    int flags = 0x00000100 /* CLONE_VM */ | 0x00000400 /* CLONE_FILES */ | 0x00001000 /* CLONE_PIDFD */;
    holder->pid = clone(
        clinux_hold_child, holder->stack + CLINUX_HOLDER_STACK, flags | clone_flags, (void *)(intptr_t)getpid(),
        &holder->pidfd);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (holder->pid > 0) return 0;
    munmap(holder->stack, CLINUX_HOLDER_STACK);
    errno = error;
    return -1;
}

/// Ends the process of clinux_hold; whoever has a descriptor of its namespaces keeps them.
static inline void clinux_release(struct clinux_holder *holder) {
    syscall(SYS_pidfd_send_signal, holder->pidfd, SIGKILL, NULL, 0);
    int status;
    while (waitpid(holder->pid, &status, 0x40000000 /* __WALL */) < 0 && errno == EINTR) {}
    close(holder->pidfd);
    munmap(holder->stack, CLINUX_HOLDER_STACK);
}
