import CLinux
import Glibc
import SystemPackage

/// A process as /proc shows it (proc_pid_stat(5)), numbered in the PID namespace /proc was mounted
/// in.
public struct ProcessEntry: Equatable, Sendable {
    public var pid: Int32
    /// Its name, of at most 15 bytes.
    public var command: String
    /// `R` running, `S` sleeping, `Z` ended but not reaped, and so on.
    public var state: Character
    public var parent: Int32
    public var processGroup: Int32
    public var session: Int32

    public init(
        pid: Int32, command: String, state: Character, parent: Int32, processGroup: Int32,
        session: Int32
    ) {
        self.pid = pid
        self.command = command
        self.state = state
        self.parent = parent
        self.processGroup = processGroup
        self.session = session
    }

    /// Reads a line of /proc/PID/stat; nil when it is not one.
    public init?(stat line: String) {
        // The name may hold spaces and brackets itself: it reaches to the last closing one.
        guard let opening = line.firstIndex(of: "("), let closing = line.lastIndex(of: ")"),
            opening < closing
        else { return nil }
        let fields = line[line.index(after: closing)...].split(separator: " ")
        guard fields.count >= 4, let state = fields[0].first, let parent = Int32(fields[1]),
            let processGroup = Int32(fields[2]), let session = Int32(fields[3]),
            let pid = Int32(line[..<opening].split(separator: " ").first ?? "")
        else { return nil }
        self.init(
            pid: pid, command: String(line[line.index(after: opening)..<closing]), state: state,
            parent: parent, processGroup: processGroup, session: session)
    }

    /// Whether it has ended and only waits to be reaped.
    public var hasEnded: Bool { state == "Z" || state == "X" }

    /// Every process of the namespace.
    ///
    /// - Throws: ``SystemError`` when there is no /proc. A process that ends meanwhile is left out.
    public static func all() throws(SystemError) -> [ProcessEntry] {
        var entries: [ProcessEntry] = []
        for name in try FileSystem.list("/proc") where name.first?.isNumber ?? false {
            guard let pid = Int32(name), let entry = try of(pid) else { continue }
            entries.append(entry)
        }
        return entries
    }

    /// One process; nil when it is gone.
    public static func of(_ pid: Int32) throws(SystemError) -> ProcessEntry? {
        guard let text = try readUnlessGone("/proc/\(pid)/stat") else { return nil }
        return ProcessEntry(stat: String(decoding: text, as: UTF8.self))
    }

    /// The environment a process was started with (`NAME=value`); empty when it is gone.
    public static func environment(of pid: Int32) throws(SystemError) -> [String] {
        (try readUnlessGone("/proc/\(pid)/environ") ?? []).split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Whether a process holds a TCP socket that listens on `port`, at whatever address.
    ///
    /// Looks at the process's own descriptors (pidfd_getfd(2)): exact about whose socket it is, and
    /// far cheaper than /proc/net/tcp, whose reading walks the machine's whole connection table.
    ///
    /// - Throws: ``SystemError`` when the kernel does not let the caller look (it takes
    ///   CAP_SYS_PTRACE). A process that is gone does not listen.
    public static func listens(_ pid: Int32, onTCPPort port: UInt16) throws(SystemError) -> Bool {
        do {
            let process = OwnedDescriptor(
                try systemCall("open pidfd of process \(pid)") { clinux_pidfd_open(pid) })
            for name in try FileSystem.list("/proc/\(pid)/fd") {
                guard let number = CInt(name),
                    case .link(let target) = FileSystem.entry("/proc/\(pid)/fd/\(name)"),
                    target.hasPrefix("socket:")
                else { continue }
                guard let copy = try copyDescriptor(number, of: process.rawValue) else { continue }
                if clinux_listening_port(copy.rawValue) == CInt(port) { return true }
            }
            return false
        } catch  where error.code == .noSuchFileOrDirectory || error.code == .noSuchProcess {
            return false
        }
    }

    /// A copy of another process's descriptor; nil when it has been closed meanwhile.
    private static func copyDescriptor(
        _ number: CInt, of process: CInt
    ) throws(SystemError) -> OwnedDescriptor? {
        do {
            return OwnedDescriptor(
                try systemCall("copy a descriptor") { clinux_pidfd_getfd(process, number) })
        } catch  where error.code == .badFileDescriptor {
            return nil
        }
    }

    private static func readUnlessGone(_ path: String) throws(SystemError) -> [UInt8]? {
        do {
            return try FileSystem.read(path)
        } catch  where error.code == .noSuchFileOrDirectory || error.code == .noSuchProcess {
            return nil
        }
    }
}
