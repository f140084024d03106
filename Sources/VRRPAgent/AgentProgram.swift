import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes

/// `vrrp-agent`: a VRRP daemon that reads keepalived.conf.
public enum AgentProgram {
    /// Runs it to its end.
    ///
    /// - Parameter interposer: what stands between the daemon and its virtual routers: nothing, but
    ///   in a test that plants a defect.
    public static func main(interposer: (any RouterInterposer)? = nil) -> Never {
        SignalDescriptor.blockAll()
        StandardStreams.openMissing()
        let status = run(CommandLine.arguments, interposer)
        exit(status.rawValue)
    }

    private static func run(
        _ arguments: [String], _ interposer: (any RouterInterposer)?
    ) -> ExitStatus {
        let errors = LineWriter.standardError()
        let options: Options
        do throws(Options.UsageError) {
            options = try Options(Array(arguments.dropFirst()))
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
        if let name = options.signalFunction {
            guard let function = SignalFunction(rawValue: name) else {
                errors.write("Unknown sigfunc \(name)")
                return .failure
            }
            print(function.number)
            return .success
        }
        if options.printsConfiguration { return ConfigurationTest.printConfiguration(options) }
        if options.testsConfiguration { return ConfigurationTest.run(options) }
        if options.isChecker { return CheckerProcess.run(options) }
        if options.staysInForeground || options.detachedFrom != nil {
            return Daemon.run(options, arguments: arguments, interposer: interposer)
        }
        return Background.start(options, arguments: arguments)
    }
}
