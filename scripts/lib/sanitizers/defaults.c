// What every program of a build with a sanitizer has in it (scripts/lib/sanitized-tests), since no variable
// reaches those in nodes, and those to which a test gives an environment of its own.
//
// The runtimes ask these functions for what ASAN_OPTIONS and the like say otherwise, and still say over
// them (compiler-rt, sanitizer_common/sanitizer_interface_internal.h).
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Programs that live as long as their process hold what they have to its end: leaks are for tests.
const char *__asan_default_options(void) { return "detect_leaks=0"; }
const char *__lsan_default_suppressions(void) { return LEAKS; }

// A process in which threads have raced ends with a status of its own: a service's end is in its log.
const char *__tsan_default_options(void) { return "exitcode=66:print_suppressions=0"; }
const char *__tsan_default_suppressions(void) { return RACES; }

#ifdef SANITIZE_thread
// The thread sanitizer takes clone(2) for fork(2), and _exit(2) for the end of all that it looks at. Both it
// would do to its own memory, which is the parent's: a child of ours shares it until it executes a program
// or cannot, and runs nothing that is looked at (CLinuxSpawn.h).
int __clone(int (*)(void *), void *, int, void *, ...);
int clone(int (*run)(void *), void *stack, int flags, void *argument, pid_t *parent, void *storage,
          pid_t *child) {
    return __clone(run, stack, flags, argument, parent, storage, child);
}
void _exit(int status) {
    for (;;) syscall(SYS_exit_group, status);
}
#endif

// Keeps what a runtime reports where the script looks for it, whatever becomes of standard error. In a
// node there is no such folder: there the report is in the service's log alone. System calls and nothing
// of the C library, which the runtimes have taken over.
void __sanitizer_on_print(const char *text) {
    char path[sizeof REPORTS + 16] = REPORTS ".";
    char digits[12];
    int count = 0;
    for (long pid = syscall(SYS_getpid); pid > 0; pid /= 10) digits[count++] = (char)('0' + pid % 10);
    for (char *end = path + sizeof REPORTS; count > 0;) *end++ = digits[--count];
    long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) return;
    syscall(SYS_write, file, text, strlen(text));
    syscall(SYS_close, file);
}
