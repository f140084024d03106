import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes

/// `--config-test` and `--dump-conf`.
enum ConfigurationTest {
    /// More than the C library's two attempts at a name server that does not answer.
    private static let hostPatience: Duration = .seconds(15)

    static func run(_ options: Options) -> ExitStatus {
        var parsed: ParsedConfiguration
        let hasInterfaces: Bool
        do {
            parsed = try ConfigurationFile.read(options, hostPatience: hostPatience)
            hasInterfaces = try ConfigurationFile.adapt(&parsed)
        } catch let error as SystemError {
            return fail(error, .noConfiguration)
        } catch {
            return fail(error, .failure)
        }
        let configuration = parsed.configuration
        let unsupported = zip(
            configuration.instances, configuration.settings(startsAsMaster: false)
        ).compactMap { instance, setting -> String? in
            do throws(UnsupportedInstance) {
                _ = try instance.routerConfiguration(setting)
                return nil
            } catch {
                return "\(error)"
            }
        }
        var diagnostics = parsed.diagnostics
        var isUnsafe = false
        if let book = try? Agent.book(
            parsed.configuration,
            environment: (try? ProcessEntry.environment(of: getpid())) ?? [],
            leftOut: parsed.namesInstances ? parsed.leftOutCommands : nil,
            includesInstances: hasInterfaces, includesCheckers: true)
        {
            isUnsafe = book.violation != nil
            for case .diagnostic(let diagnostic) in book.remarks { diagnostics.append(diagnostic) }
        }
        do throws(SystemError) {
            try write(diagnostics.map(\.description) + unsupported, to: options.testOutput)
        } catch {
            return fail(error, .failure)
        }
        // 2 also stands for what keepalived would run and we cannot.
        if !unsupported.isEmpty { return .configuration }
        return ExitStatus(
            ConfigurationTestStatus(of: diagnostics, violatesScriptSecurity: isUnsafe))
    }

    /// Prints what was understood as a keepalived.conf, and what is wrong on standard error.
    static func printConfiguration(_ options: Options) -> ExitStatus {
        do throws(SystemError) {
            let parsed = try ConfigurationFile.read(options)
            try write(parsed.diagnostics.map(\.description), to: options.testOutput)
            try FileSystem.writeAll(
                Array(parsed.configuration.canonicalText.utf8)[...], to: STDOUT_FILENO,
                name: "standard output")
            return parsed.isRefused ? .configuration : .success
        } catch {
            return fail(error, .noConfiguration)
        }
    }

    private static func fail(_ error: any Error, _ status: ExitStatus) -> ExitStatus {
        LineWriter.standardError().write("\(Version.name): \(error)")
        return status
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
