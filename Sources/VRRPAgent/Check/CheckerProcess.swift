import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes

/// The checkers' process from its start to its end: what `--healthcheckers` makes of the program.
enum CheckerProcess {
    /// Runs it until a signal ends it, in the namespace and with the words of the daemon that has
    /// started it.
    static func run(_ options: Options) -> ExitStatus {
        clinux_umask(mode_t(options.umask ?? 0o177))
        do {
            let log = try Log(options.log, isForeground: options.detachedFrom == nil)
            return try run(options, log)
        } catch {
            LineWriter.standardError().write("\(Version.name): \(error)")
            return .failure
        }
    }

    private static func run(_ options: Options, _ log: Log) throws -> ExitStatus {
        let configuration = try ConfigurationFile.read(options).configuration
        let place = DaemonPlace(options, configuration.global)
        log.rename(place.identity + "_healthcheckers")
        defer { log.flush() }
        if options.umask == nil, let mask = configuration.global.umask {
            clinux_umask(mode_t(mask))
        }
        try Capabilities.retain(.ofDaemon)
        guard endsWithDaemon() else {
            log.line("the daemon that has started this has ended")
            return .failure
        }
        var pidFile: PIDFile?
        switch try PIDFile.own(
            place.checkersPIDFile, unlockedOwners: ["keepalived", "keepalived_healthcheckers"])
        {
        case .owned(let file), .ownedStale(let file): pidFile = file
        case .running(let pid):
            log.line("healthcheckers are already running (pid \(pid))")
            return .failure
        }
        defer { withExtendedLifetime(pidFile) {} }
        let echo = configuration.usesEcho ? EchoPermission() : nil
        defer { echo?.giveBack() }
        try CheckerDaemon(configuration.ofCheckers, options: options, log: log).run()
        return .success
    }
}

extension CheckerProcess {
    /// Asks for SIGTERM when the daemon ends, however it does. Its start has asked already; but the
    /// kernel forgets that when an exec gives root back the capabilities that the daemon had laid
    /// down (commit_creds, kernel/cred.c).
    ///
    /// - Returns: false when it has ended before.
    private static func endsWithDaemon() -> Bool {
        clinux_prctl(CLINUX_PR_SET_PDEATHSIG, UInt(SIGTERM))
        guard let own = try? FileSystem.ownProgram(),
            case .link(let target)? = FileSystem.entry("/proc/\(getppid())/exe")
        else { return true }
        return target == own
    }
}

/// The kernel's leave to make echo sockets (icmp(7), ping_group_range), which even root needs.
struct EchoPermission {
    private static let path = "/proc/sys/net/ipv4/ping_group_range"
    private let before: String?

    /// Lets the process's own group, where none of its kind is let.
    init() {
        let text = (try? FileSystem.readText(Self.path)) ?? ""
        let limits = text.split { $0 == "\t" || $0 == " " || $0 == "\n" }.compactMap { UInt32($0) }
        let group = UserDatabase.ownGroupID
        guard limits.count == 2, !(limits[0] <= group && group <= limits[1]) else {
            before = nil
            return
        }
        before = text
        try? FileSystem.writeParameter("\(group) \(group)", to: Self.path)
    }

    /// Leaves the kernel as it was.
    func giveBack() {
        if let before { try? FileSystem.writeParameter(before, to: Self.path) }
    }
}

extension Configuration {
    fileprivate var usesEcho: Bool {
        virtualServers.flatMap(\.realServers).flatMap(\.checkers).contains { $0.kind == .ping }
    }
}
