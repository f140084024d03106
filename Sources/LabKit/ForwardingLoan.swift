import LabModel
import LinuxSystem
import SystemPackage

/// That the host forwards packets (net.ipv4.ip_forward) because labs asked for it: from the first
/// of them to the last, as long as nobody else changes it meanwhile.
///
/// A lab that has asked has a file in its run directory with the host's network namespace in it, so
/// that whoever sweeps up after one that was killed can give it back, too.
struct ForwardingLoan {
    /// As /proc/sys names it, for the calling thread's network namespace.
    static let parameter = "/proc/sys/net/ipv4/ip_forward"

    private let directory: LabDirectory

    /// Has the calling thread's network namespace, the host's, forward packets.
    ///
    /// - Returns: nil where it does anyway, and not because a lab asked.
    /// - Throws: ``SystemError``.
    init?(_ directory: LabDirectory) throws {
        self.directory = directory
        let namespace = try Self.namespace()
        let isOn = try Self.isOn
        if isOn, !Self.isOwed(in: namespace, besides: directory) { return nil }
        // Noted first: one that is killed in between has changed nothing that is not put back.
        try FileSystem.write(Array(namespace.utf8), to: directory.forwardingPath)
        if !isOn { try FileSystem.writeParameter("1", to: Self.parameter) }
    }

    /// Whether the calling thread's network namespace forwards packets.
    static var isOn: Bool {
        get throws { try FileSystem.readText(parameter).first == "1" }
    }

    /// Gives it back, unless another lab has use for it; in the host's network namespace.
    func giveBack() { Self.settle(directory) }

    /// Gives back what a lab has borrowed, where the calling thread is in the namespace it is
    /// about; nothing where it has borrowed nothing.
    static func settle(_ directory: LabDirectory) {
        guard let namespace = try? FileSystem.readText(directory.forwardingPath),
            namespace == (try? Self.namespace())
        else { return }
        try? FileSystem.remove(directory.forwardingPath)
        if !isOwed(in: namespace, besides: directory) {
            try? FileSystem.writeParameter("0", to: parameter)
        }
    }

    private static func isOwed(in namespace: String, besides directory: LabDirectory) -> Bool {
        LabDirectory.running().contains { other in
            other != directory && (try? FileSystem.readText(other.forwardingPath)) == namespace
        }
    }

    /// What tells the calling thread's network namespace from others: `net:[4026531840]`.
    private static func namespace() throws -> String {
        guard case .link(let target) = FileSystem.entry("/proc/thread-self/ns/net") else {
            throw SystemError("read /proc/thread-self/ns/net", .noSuchFileOrDirectory)
        }
        return target
    }
}
