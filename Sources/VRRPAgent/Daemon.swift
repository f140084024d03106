import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// The daemon from its first log line to its last.
struct Daemon {
    private let options: Options
    private let log: Log
    /// What stands between it and its virtual routers.
    private let interposer: (any RouterInterposer)?

    /// Runs it until a signal ends it.
    static func run(
        _ options: Options, arguments: [String], interposer: (any RouterInterposer)?
    ) -> ExitStatus {
        // What scripts and files get unless the configuration says otherwise; keepalived's.
        clinux_umask(mode_t(options.umask ?? 0o177))
        do throws(SystemError) {
            let isForeground = options.detachedFrom == nil
            let log = try Log(options.log, isForeground: isForeground)
            let daemon = Daemon(options: options, log: log, interposer: interposer)
            return daemon.run(arguments)
        } catch {
            LineWriter.standardError().write("\(Version.name): \(error)")
            return .failure
        }
    }

    private func run(_ arguments: [String]) -> ExitStatus {
        log.line("Starting \(Version.text)")
        log.line("Running on \(HostInformation.kernel)")
        // The words that a background process was started with are not the user's.
        let words = options.detachedFrom == nil ? arguments[...] : arguments.dropLast(2)
        log.line("Command line: " + words.map { "'\($0)'" }.joined(separator: " "))
        for note in options.notes { log.line(note) }
        let status = start()
        log.flush()
        return status
    }

    /// keepalived waits here until the C library gives up. A name server that does not answer keeps
    /// our addresses waiting no longer than this, and is asked again when there is a mail.
    private static let hostPatience: Duration = .seconds(1)

    private func start() -> ExitStatus {
        let path = options.configurationFile
        let parsed: ParsedConfiguration
        do throws(SystemError) {
            log.detail("Opening file '\(path)'.")
            parsed = try ConfigurationFile.read(options, hostPatience: Self.hostPatience)
        } catch {
            log.line("Unable to find configuration file \(path) (\(error.code.text))")
            return .noConfiguration
        }
        log.line("Configuration file \(path)")
        // Held until the daemon is done; the kernel lets go of them when it dies.
        var pidFiles: [PIDFile] = []
        defer { withExtendedLifetime(pidFiles) {} }
        do {
            let place = DaemonPlace(options, parsed.configuration.global)
            try enter(place, parsed.configuration.global)
            for path in [place.pidFile, place.vrrpPIDFile] {
                guard let file = try own(path) else { return .success }
                pidFiles.append(file)
            }
            return try run(parsed)
        } catch let error as UnsupportedInstance {
            log.line("\(error)")
            return .configuration
        } catch {
            log.line("\(error)")
            return error.isMissingPermission ? .permission : .failure
        }
    }

    /// Goes where the configuration wants the daemon to be, and gives up what it needs no more.
    private func enter(_ place: DaemonPlace, _ global: GlobalDefinitions) throws(SystemError) {
        if let ours = options.networkNamespace, let theirs = global.networkNamespace {
            log.line(
                "Overriding config net_namespace '\(theirs)' with command line namespace '\(ours)'")
        }
        if place.identity != Version.name {
            log.line("Changing syslog ident to \(place.identity)")
            log.rename(place.identity)
        }
        if let folder = place.folder { try FileSystem.makeFolders(folder) }
        if let name = place.networkNamespace { try NetworkNamespace.named(name).enterForGood() }
        if options.umask == nil, let mask = global.umask { clinux_umask(mode_t(mask)) }
        try Capabilities.retain(.ofDaemon)
    }

    private func run(_ read: ParsedConfiguration) throws -> ExitStatus {
        var parsed = read
        try ConfigurationFile.adapt(&parsed)
        let agent = try Agent(parsed.configuration, options: options, log: log)
        agent.machine.interposer = interposer
        let diagnostics = parsed.diagnostics
        for line in diagnostics.flatMap(\.logLines) { log.line(line) }
        // A file that must be there and is not ends keepalived before it looks for anything else.
        guard !diagnostics.contains(where: { $0.kind == .refusedInclude }) else {
            return .noConfiguration
        }
        guard !diagnostics.contains(where: { $0.kind == .refused }) else {
            return .configuration
        }
        if options.logsConfiguration { logState(parsed.configuration) }
        try agent.run()
        log.detail(ProcessUsage.line(own: .own, children: .children))
        log.line("Stopped \(Version.text)")
        return .success
    }

    /// What `-d` logs: the configuration in the form of keepalived.data.
    private func logState(_ configuration: Configuration) {
        var report = AgentReport(
            configuration: configuration,
            routerID: configuration.global.routerID ?? HostInformation.hostName)
        report.instances = configuration.instances.map { InstanceReport($0) }
        let text = StateReport.text(report, calendar: HostInformation.localTime(seconds:))
        for line in text.split(separator: "\n") { log.line(String(line)) }
    }

    /// The pid file, or nil when another daemon has it.
    private func own(_ path: String) throws(SystemError) -> PIDFile? {
        switch try PIDFile.own(path, unlockedOwners: ["keepalived", "keepalived_vrrp"]) {
        case .owned(let file): return file
        case .ownedStale(let file):
            log.line("Remove a zombie pid file \(path)")
            return file
        case .running:
            log.line("daemon is already running")
            return nil
        }
    }
}

/// Where a daemon is, and what it is called there.
struct DaemonPlace: Equatable {
    /// The network namespace to enter; nil: the one it was started in.
    var networkNamespace: String?
    /// `vrrp-agent`, with the namespace and the `instance` it has.
    var identity: String
    /// The folder of the pid files, when they have one of their own.
    var folder: String?
    var pidFile: String
    var vrrpPIDFile: String
    var checkersPIDFile: String
    /// What `data_use_instance` puts into the name of keepalived.data; nil: nothing.
    var dataSuffix: String?

    /// keepalived's names. It gives each namespace a /run/keepalived of its own, which the world
    /// outside sees as /run/keepalived/NAMESPACE; the files are there directly here.
    init(_ options: Options, _ global: GlobalDefinitions) {
        let namespace = options.networkNamespace ?? global.networkNamespace
        let suffix = global.instanceName.map { "_\($0)" } ?? ""
        if global.namesInstanceInData, namespace != nil || global.instanceName != nil {
            dataSuffix = [namespace, global.instanceName].compactMap(\.self).joined(separator: "_")
        }
        networkNamespace = namespace
        identity = Version.name + (namespace.map { "_\($0)" } ?? "") + suffix
        if let namespace {
            folder = "/run/keepalived/\(namespace)"
        } else if global.usesPIDDirectory || global.instanceName != nil {
            folder = "/run/keepalived"
        }
        pidFile = options.pidFile ?? "\(folder ?? "/run")/keepalived\(suffix).pid"
        checkersPIDFile =
            options.checkersPIDFile ?? "\(folder ?? "/run")/checkers\(suffix).pid"
        vrrpPIDFile = options.vrrpPIDFile ?? "\(folder ?? "/run")/vrrp\(suffix).pid"
    }
}

extension Capabilities {
    /// What a running daemon may need, also after a reload: interfaces and raw sockets, scripts as
    /// other users, signals to them, FIFOs and files of theirs.
    ///
    /// PR_SET_NO_NEW_PRIVS is not set: scripts call sudo, and ones that run as root would have no
    /// more than this.
    static let ofDaemon: Capabilities = [
        .networkAdministration, .rawSockets, .setUser, .setGroup, .kill, .changeOwner, .fileAccess,
    ]
}

extension ProcessUsage {
    /// keepalived's last line but one.
    static func line(own: ProcessUsage, children: ProcessUsage) -> String {
        "CPU usage (self/children) user: \(own.user.longSeconds)/\(children.user.longSeconds)"
            + " system: \(own.system.longSeconds)/\(children.system.longSeconds)"
    }

    /// keepalived's line about the end of its VRRP process, when it logs in detail.
    static func stoppedLine(own: ProcessUsage, children: ProcessUsage) -> String {
        "Stopped - used (self/children) \(own.user.longSeconds)/\(children.user.longSeconds)"
            + " user time, \(own.system.longSeconds)/\(children.system.longSeconds) system time"
    }
}

extension Error {
    fileprivate var isMissingPermission: Bool {
        let code = (self as? SystemError)?.code ?? (self as? NetlinkError)?.code
        return code == .notPermitted || code == .permissionDenied
    }
}
