import CLinux
import Glibc
import LinuxSystem

/// Which processes are a service's, and the end of all of them.
///
/// A service leads a session. What it starts is in that session, or descends from one that is; a
/// daemon that has left both still carries the variable ``marker(of:)`` in its environment.
enum ServiceProcesses {
    /// The variable by which every process of a service can be told.
    static func marker(of service: String) -> String { "LABCTL_UNIT=\(service)" }

    /// The live processes that belong to the session `session`, to its descendants, or that carry
    /// the mark.
    ///
    /// - Parameter isMarked: whether a process's environment has the mark; asked only of those that
    ///   nothing else decides.
    static func members<Failure: Error>(
        ofSession session: Int32, among entries: [ProcessEntry],
        isMarked: (Int32) throws(Failure) -> Bool
    ) throws(Failure) -> [Int32] {
        var members: Set<Int32> = []
        var others: [ProcessEntry] = []
        for entry in entries where entry.pid != 1 {
            var isMember = entry.session == session
            if !isMember, !entry.hasEnded { isMember = try isMarked(entry.pid) }
            if isMember {
                members.insert(entry.pid)
            } else {
                others.append(entry)
            }
        }
        // Children may have lower numbers than their parents, so until nothing changes.
        var hasGrown = true
        while hasGrown {
            hasGrown = false
            for entry in others where members.contains(entry.parent) {
                hasGrown = members.insert(entry.pid).inserted || hasGrown
            }
        }
        return entries.filter { members.contains($0.pid) && !$0.hasEnded }.map(\.pid)
    }

    /// The live processes of a service.
    static func members(ofSession session: Int32, service: String?) throws(SystemError) -> [Int32] {
        try members(ofSession: session, service: service, among: ProcessEntry.all())
    }

    /// The live processes of a service, of those.
    static func members(
        ofSession session: Int32, service: String?, among entries: [ProcessEntry]
    ) throws(SystemError) -> [Int32] {
        let marker = service.map(marker(of:))
        return try members(ofSession: session, among: entries) {
            pid throws(SystemError) in
            guard let marker else { return false }
            return try ProcessEntry.environment(of: pid).contains(marker)
        }
    }

    /// SIGKILL to all of them.
    ///
    /// - Returns: those that it has hit, which may live on for the moment that the kernel takes.
    @discardableResult
    static func killAll(session: Int32, service: String?) throws(SystemError) -> Set<Int32> {
        try signalAll(SIGKILL, session: session, service: service)
    }

    /// SIGKILL, SIGSTOP or SIGCONT to all of them. On return each is ended or stopped, or about to
    /// be, and after the first two none can fork any more.
    ///
    /// The group goes first, in one call; then /proc is read until it shows nobody new: a process
    /// with a signal pending cannot finish a fork, so the rounds end.
    ///
    /// - Returns: those that it has hit.
    @discardableResult
    static func signalAll(
        _ signal: CInt, session: Int32, service: String?
    ) throws(SystemError) -> Set<Int32> {
        Glibc.kill(-session, signal)  // ESRCH: the group is gone already.
        var signalled: Set<Int32> = []
        while true {
            let found = try members(ofSession: session, service: service)
                .filter { signalled.insert($0).inserted }
            if found.isEmpty { return signalled }
            for pid in found { Glibc.kill(pid, signal) }
        }
    }
}
