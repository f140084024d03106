import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// `vrrp-agent`: a VRRP daemon that reads keepalived.conf.
@main
struct Main {
    static func main() {
        SignalDescriptor.blockAll()
        let status = run(Array(CommandLine.arguments.dropFirst()))
        exit(status.rawValue)
    }

    private static func run(_ arguments: [String]) -> ExitStatus {
        let errors = LineWriter.standardError()
        let options: Options
        do throws(Options.UsageError) {
            options = try Options(arguments)
        } catch {
            errors.write("\(Version.name): \(error)")
            return .failure
        }
        if options.printsHelp {
            print(Options.usage)
            return .success
        }
        if options.printsVersion {
            errors.write(Version.text)
            return .success
        }
        if let function = options.signalFunction {
            guard let number = ["STOP": SIGTERM, "RELOAD": SIGHUP][function] else {
                errors.write("Unknown sigfunc \(function)")
                return .failure
            }
            print(number)
            return .success
        }
        return options.testsConfiguration
            ? ConfigurationTest.run(options) : Daemon.run(options, arguments: CommandLine.arguments)
    }
}

/// The daemon from its first log line to its last.
enum Daemon {
    static func run(_ options: Options, arguments: [String]) -> ExitStatus {
        let log = Log(isStamped: options.stampsLog, isDetailed: options.logsDetail)
        log.line("Starting \(Version.text)")
        log.line("Running on \(HostInformation.kernel)")
        log.line("Command line: " + arguments.map { "'\($0)'" }.joined(separator: " "))
        for note in options.notes { log.line(note) }
        return start(options, log)
    }

    private static func start(_ options: Options, _ log: Log) -> ExitStatus {
        let path = options.configurationFile
        let parsed: ParsedConfiguration
        do throws(SystemError) {
            log.detail("Opening file '\(path)'.")
            parsed = try ConfigurationFile.read(path)
        } catch {
            log.line("Unable to find configuration file \(path) (\(error.code.text))")
            return .noConfiguration
        }
        log.line("Configuration file \(path)")
        // Held until the daemon is done; the kernel lets go of them when it dies.
        var pidFiles: [PIDFile] = []
        defer { withExtendedLifetime(pidFiles) {} }
        do {
            for path in [options.pidFile, options.vrrpPIDFile] {
                guard let file = try own(path, log) else { return .success }
                pidFiles.append(file)
            }
            let agent = try Agent(options, log: log)
            let names = try agent.interfaceNames()
            let diagnostics =
                parsed.diagnostics
                + parsed.configuration.diagnosticsForMissingInterfaces { names.contains($0) }
            for diagnostic in diagnostics { log.line(diagnostic.logLine) }
            guard !diagnostics.contains(where: { $0.kind == .refused }) else {
                return .configuration
            }
            try agent.run(parsed.configuration)
            log.line("Stopped \(Version.text)")
            return .success
        } catch let error as UnsupportedInstance {
            log.line("\(error)")
            return .configuration
        } catch {
            log.line("\(error)")
            return error.isMissingPermission ? .permission : .failure
        }
    }

    /// The pid file, or nil when another daemon has it.
    private static func own(_ path: String, _ log: Log) throws(SystemError) -> PIDFile? {
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

/// `--config-test`.
enum ConfigurationTest {
    static func run(_ options: Options) -> ExitStatus {
        let parsed: ParsedConfiguration
        var diagnostics: [ConfDiagnostic]
        do {
            parsed = try ConfigurationFile.read(options.configurationFile)
            diagnostics = parsed.diagnostics
            let names = Set(try RouteSocket().links().map(\.name))
            diagnostics += parsed.configuration.diagnosticsForMissingInterfaces {
                names.contains($0.text)
            }
        } catch let error as SystemError {
            LineWriter.standardError().write("\(Version.name): \(error)")
            return .noConfiguration
        } catch {
            LineWriter.standardError().write("\(Version.name): \(error)")
            return .failure
        }
        let unsupported = parsed.configuration.instances.compactMap { instance -> String? in
            do throws(UnsupportedInstance) {
                _ = try instance.routerConfiguration()
                return nil
            } catch {
                return "\(error)"
            }
        }
        do throws(SystemError) {
            try write(diagnostics.map(\.description) + unsupported, to: options.testOutput)
        } catch {
            LineWriter.standardError().write("\(Version.name): \(error)")
            return .failure
        }
        // keepalived's 5 stands for a warning as for a file it would not run; 2 is left for what
        // it would run and we cannot.
        if !unsupported.isEmpty { return .configuration }
        return diagnostics.contains(where: \.failsConfigurationTest) ? .configurationTest : .success
    }

    private static func write(_ lines: [String], to path: String?) throws(SystemError) {
        let text = lines.map { $0 + "\n" }.joined()
        if let path {
            try FileSystem.write(Array(text.utf8), to: path)
        } else {
            try FileSystem.writeAll(
                Array(text.utf8)[...], to: STDERR_FILENO, name: "standard error")
        }
    }
}

extension Error {
    fileprivate var isMissingPermission: Bool {
        let code = (self as? SystemError)?.code ?? (self as? NetlinkError)?.code
        return code == .notPermitted || code == .permissionDenied
    }
}
