import Testing

/// A way out of a node that others have found before.
struct Escape: CustomTestStringConvertible, Sendable {
    /// What it is after.
    var name: String
    /// Python, run as root in the node behind ``prelude``; prints what came of it.
    var attempt: String
    /// What the kernel says to it: one of these.
    var answers: [String]

    init(_ name: String, _ attempt: String, _ answers: String...) {
        self.name = name
        self.attempt = attempt
        self.answers = answers
    }

    var testDescription: String { name }

    /// `say(f)` prints the name of the errno that a call fails with, or what it returns.
    static let prelude = """
        import ctypes, errno, fcntl, os, platform, signal, socket, struct, sys
        libc = ctypes.CDLL(None, use_errno=True)
        numbers = {
            'x86_64': dict(
                ptrace=101, syslog=103, pivot_root=155, init_module=175, iopl=172, quotactl=179,
                add_key=248, keyctl=250, unshare=272, perf_event_open=298, fanotify_init=300,
                name_to_handle_at=303, open_by_handle_at=304, setns=308, bpf=321, userfaultfd=323,
                io_uring_setup=425, open_tree=428, fsopen=430, pidfd_open=434, clone3=435,
                clone=56, capset=126, mount=165, reboot=169, mknod=133, swapon=167,
                sethostname=170),
            'aarch64': dict(
                ptrace=117, syslog=116, pivot_root=41, init_module=105, iopl=-1, quotactl=60,
                add_key=217, keyctl=219, unshare=97, perf_event_open=241, fanotify_init=262,
                name_to_handle_at=264, open_by_handle_at=265, setns=268, bpf=280, userfaultfd=282,
                io_uring_setup=425, open_tree=428, fsopen=430, pidfd_open=434, clone3=435,
                clone=220, capset=91, mount=40, reboot=142, mknod=-1, swapon=224,
                sethostname=161),
        }[platform.machine()]
        def call(name, *arguments):
            words = [ctypes.c_long(x) if isinstance(x, int) else x for x in arguments]
            ctypes.set_errno(0)
            result = libc.syscall(ctypes.c_long(numbers[name]), *words)
            if result == -1: raise OSError(ctypes.get_errno(), '')
            return result
        def say(attempt):
            try: print(attempt())
            except OSError as error: print(errno.errorcode[error.errno])
        def mount(kind, on, flags=0, data=None, source=b'none'):
            say(lambda: call('mount', source, on, kind, flags, data))
        os.makedirs('/mnt/x', exist_ok=True)

        """

    private static let remountWritable = 32 | 4096  // MS_REMOUNT, MS_BIND

    static let all: [Escape] = [
        // Mounts.
        Escape(
            "the host's programs made writable", "mount(None, b'/usr', \(remountWritable))", "EPERM"
        ),
        Escape(
            "kernel parameters made writable", "mount(None, b'/proc/sys', \(remountWritable))",
            "EPERM"),
        Escape("a /proc of its own", "mount(b'proc', b'/mnt/x')", "EPERM"),
        Escape("a /sys of its own", "mount(b'sysfs', b'/mnt/x')", "EPERM"),
        Escape(
            "a control group with a release_agent",
            "mount(b'cgroup', b'/mnt/x', 0, b'none,name=escape')", "EPERM"),
        Escape("cgroup v2 of its own", "mount(b'cgroup2', b'/mnt/x')", "EPERM"),
        Escape("debugfs", "mount(b'debugfs', b'/mnt/x')", "EPERM"),
        Escape("the new mount calls", "say(lambda: call('fsopen', b'tmpfs', 0))", "EPERM"),
        Escape(
            "a copy of a mount", "say(lambda: call('open_tree', -100, b'/usr', 1))", "EPERM"),
        Escape("another root", "say(lambda: call('pivot_root', b'/mnt', b'/mnt'))", "EPERM"),
        Escape(
            "out of a chroot, and on upwards",
            """
            root = os.stat('/')
            inner = os.open('/', os.O_RDONLY)
            os.chroot('/mnt/x')
            os.fchdir(inner)
            for _ in range(64): os.chdir('..')
            found = os.stat('.')
            print((root.st_dev, root.st_ino) == (found.st_dev, found.st_ino))
            """, "True"),
        Escape(
            "unmounting what covers the host",
            "say(lambda: libc.umount2(b'/usr/bin', 2) and call("
                + "'mount', b'none', b'/mnt/x', b'tmpfs', 0, None))", "EPERM"),

        // Devices and files.
        Escape(
            "the host's disk as a device",
            "say(lambda: os.mknod('/root/disk', 0o60600, os.stat('/usr').st_dev))", "EPERM"),
        Escape(
            "the kernel's memory as a device",
            "say(lambda: os.mknod('/root/kmem', 0o20600, os.makedev(1, 1)))", "EPERM"),
        Escape(
            "a file by its number (shocker)",
            """
            handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0), 136)
            where = ctypes.c_int()
            call('name_to_handle_at', -100, b'/usr/lib', handle, ctypes.byref(where), 0)
            folder = os.open('/usr', os.O_RDONLY)
            say(lambda: call('open_by_handle_at', folder, handle, 0))
            """, "EPERM"),
        Escape(
            "PID 1's root, files and memory, as links",
            """
            for name in ('root', 'cwd', 'fd/1', 'fd/3', 'mem', 'environ', 'ns/mnt', 'exe'):
                try: os.open(f'/proc/1/{name}', os.O_RDONLY)
                except PermissionError: continue
                print(name)
            print('done')
            """, "done"),
        Escape(
            "tracing PID 1", "say(lambda: call('ptrace', 16, 1, None, None))", "EPERM"),
        Escape(
            "PID 1's namespaces",
            """
            first = call('pidfd_open', 1, 0)
            for kind in (0x20000, 0x40000000, 0x20000000, 0x04000000, 0x08000000, 0x02000000):
                say(lambda: call('setns', first, kind))
            """, "EPERM"),
        Escape("more capabilities than it has", capset, "EPERM"),
        Escape(
            "trimming the host's disk",
            "say(lambda: fcntl.ioctl(os.open('/usr', os.O_RDONLY), 0xc0185879, "
                + "struct.pack('QQQ', 0, 0, 1 << 40)))", "EPERM"),
        Escape(
            "handles on every open of a file",
            "say(lambda: call('fanotify_init', 4, 0))", "EPERM"),

        // Namespaces of its own, with every capability in them.
        Escape("a user namespace", "say(lambda: call('unshare', 0x10000000))", "EPERM"),
        Escape("a mount namespace", "say(lambda: call('unshare', 0x20000))", "EPERM"),
        Escape(
            "a process in a user namespace",
            """
            def attempt():
                child = call('clone', 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
                if child == 0: os._exit(0)
                return child
            say(attempt)
            """, "EPERM"),
        Escape(
            "clone3, whose flags no filter sees",
            "say(lambda: call('clone3', b'\\0' * 64, 64))", "ENOSYS"),

        // The kernel.
        Escape(
            "a kernel module", "say(lambda: call('init_module', b'', 0, b''))", "EPERM", "ENOSYS"),
        Escape(
            "a program in the kernel", "say(lambda: call('bpf', 5, b'\\0' * 128, 128))", "EPERM"),
        Escape(
            "the kernel's performance events",
            "say(lambda: call('perf_event_open', b'\\0' * 128, 0, -1, -1, 0))", "EPERM"),
        Escape("the kernel's keys: reading", "say(lambda: call('keyctl', 0, -4, 0))", "EPERM"),
        Escape(
            "the kernel's keys: adding",
            "say(lambda: call('add_key', b'user', b'labctl', b'x', 1, -4))", "EPERM"),
        Escape("io_uring", "say(lambda: call('io_uring_setup', 1, b'\\0' * 128))", "EPERM"),
        Escape("userfaultfd", "say(lambda: call('userfaultfd', 0))", "EPERM"),
        Escape("the kernel's log", "say(lambda: call('syslog', 3, b'\\0' * 64, 64))", "EPERM"),
        Escape(
            "I/O ports", "say(lambda: call('iopl', 3))", "EPERM", "ENOSYS"),
        Escape(
            "the machine's end", "say(lambda: call('reboot', 0xfee1dead, 672274793, 0, None))",
            "EPERM"),
        Escape("a swap file", "say(lambda: call('swapon', b'/usr/bin/env', 0))", "EPERM"),
        Escape("the node's own name", "say(lambda: call('sethostname', b'x', 1))", "EPERM"),
        Escape(
            "calls by the numbers of another architecture",
            "numbers['x32'] = 0x40000000 + 39\nsay(lambda: call('x32'))", "ENOSYS"),

        // Sockets that know no network namespace.
        Escape(
            "a socket to the virtual machine's host", "say(lambda: socket.socket(40, 1))",
            "EAFNOSUPPORT"),
        Escape(
            "the host's audit log", "say(lambda: socket.socket(16, 3, 9))", "EPROTONOSUPPORT"),
        Escape(
            "typing into a terminal",
            """
            main, other = os.openpty()
            os.setsid() if os.getpid() != os.getsid(0) else None
            fcntl.ioctl(other, 0x540e, 0)
            say(lambda: fcntl.ioctl(other, 0x5412, b'x'))
            """, "EPERM"),

        // Last, because what comes after it would find no program.
        Escape("tmpfs over a file of the host", "mount(b'tmpfs', b'/usr/bin')", "EPERM"),
    ]

    private static let capset = """
        header = ctypes.create_string_buffer(struct.pack('Ii', 0x20080522, 0))
        wanted = ctypes.create_string_buffer(struct.pack('6I', 1 << 21, 1 << 21, 0, 0, 0, 0))
        say(lambda: call('capset', header, wanted))
        """
}
