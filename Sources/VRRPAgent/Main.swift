import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes

/// `vrrp-agent`: a VRRP daemon that reads keepalived.conf.
@main
struct Main {
    static func main() {
        SignalDescriptor.blockAll()
        StandardStreams.openMissing()
        let status = run(CommandLine.arguments)
        exit(status.rawValue)
    }

    private static func run(_ arguments: [String]) -> ExitStatus {
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
            return Daemon.run(options, arguments: arguments)
        }
        return Background.start(options, arguments: arguments)
    }
}
