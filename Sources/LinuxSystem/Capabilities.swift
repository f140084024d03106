import CLinux
import Glibc
import SystemPackage

/// Capabilities of the calling thread (capabilities(7)); of the whole program where it has one.
public struct Capabilities: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    private init(number: UInt64) { rawValue = 1 << number }

    /// Changing who owns a file.
    public static let changeOwner = Capabilities(number: 0)  // CAP_CHOWN
    /// Opening files whatever their permissions are.
    public static let fileAccess = Capabilities(number: 1)  // CAP_DAC_OVERRIDE
    /// Signals to other users' processes.
    public static let kill = Capabilities(number: 5)  // CAP_KILL
    /// Running programs under another group.
    public static let setGroup = Capabilities(number: 6)  // CAP_SETGID
    /// Running programs as another user.
    public static let setUser = Capabilities(number: 7)  // CAP_SETUID
    /// Interfaces, addresses, routes, nftables, sysctls below net.
    public static let networkAdministration = Capabilities(number: 12)  // CAP_NET_ADMIN
    /// Raw and packet sockets.
    public static let rawSockets = Capabilities(number: 13)  // CAP_NET_RAW
    /// Entering namespaces, mounting, and much else.
    public static let systemAdministration = Capabilities(number: 21)  // CAP_SYS_ADMIN

    /// Raising limits, of what a user may have among others.
    public static let resourceLimits = Capabilities(number: 24)  // CAP_SYS_RESOURCE

    /// Looking into every process of the PID namespace.
    public static let tracing = Capabilities(number: 19)  // CAP_SYS_PTRACE
    /// Making device files.
    public static let deviceFiles = Capabilities(number: 27)  // CAP_MKNOD

    /// What root in a node has: what daemons need that serve a network and give themselves another
    /// user. It is what docker grants a container, without device files and the audit log, and with
    /// the network's administration, memory that stays, and real-time processes.
    ///
    /// Not CAP_SYS_ADMIN above all: with it every mount can be made writable, and the kernel's
    /// parameters be mounted anew.
    public static let ofNode = Capabilities(
        rawValue: [0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 18, 23, 31].reduce(0) {
            $0 | 1 << $1
        }
    )
    // CAP_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _SETPCAP,
    // _NET_BIND_SERVICE, _NET_BROADCAST, _NET_ADMIN, _NET_RAW, _IPC_LOCK, _SYS_CHROOT, _SYS_NICE,
    // _SETFCAP

    /// What the thread may use now.
    ///
    /// - Throws: ``SystemError``, in a sandbox that forbids to ask.
    public static func effective() throws(SystemError) -> Capabilities {
        Capabilities(rawValue: try sets().effective)
    }

    /// Gives up everything but these, for good; those that are not there are not missed.
    ///
    /// The bounding set stays: a program that is started as root has what root has, as it would
    /// from a shell, or `systemctl restart` in a notify script would fail. Nothing is handed on
    /// to a program started as anybody else (inheritable and ambient sets are emptied).
    ///
    /// - Throws: ``SystemError``, in a sandbox that forbids to change them.
    public static func retain(_ kept: Capabilities) throws(SystemError) {
        let now = try sets()
        var sets = clinux_capability_sets()
        sets.permitted = now.permitted & kept.rawValue
        sets.effective = sets.permitted & now.effective
        sets.inheritable = 0
        // Refused by kernels before 4.3, which have no such set.
        clinux_clear_ambient_capabilities()
        try systemCall("give up capabilities") { clinux_set_capabilities(&sets) }
    }

    /// Gives up for good all that is not in either set: the process keeps both, and what it starts,
    /// root or not, never gets more than `handedOn`.
    ///
    /// A program without some of them can neither trace a process that has them nor look into its
    /// /proc/PID (ptrace(2), "Ptrace access mode checking").
    ///
    /// - Throws: ``SystemError``, in a sandbox that forbids to change them.
    public static func confine(
        toOwn own: Capabilities, handedOn: Capabilities
    ) throws(SystemError) {
        for number in 0..<64 where handedOn.rawValue & 1 << number == 0 {
            do {
                try systemCall("give up capability \(number)") {
                    clinux_drop_bounding_capability(CInt(number))
                }
            } catch  where error.code == .invalidArgument {
                // One that this kernel does not have.
            }
        }
        var sets = try sets()
        sets.permitted &= own.union(handedOn).rawValue
        sets.effective &= sets.permitted
        sets.inheritable &= handedOn.rawValue
        try systemCall("give up capabilities") { clinux_set_capabilities(&sets) }
    }

    private static func sets() throws(SystemError) -> clinux_capability_sets {
        var sets = clinux_capability_sets()
        try systemCall("read the own capabilities") { clinux_get_capabilities(&sets) }
        return sets
    }
}
