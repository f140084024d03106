import CLinux
import Glibc
import LinuxSystem
package import NodeProtocol

/// The programs that this one is by other names: what of a machine's tools has to talk to PID 1, or
/// may be missing on the host.
enum Tool: String, CaseIterable {
    case systemctl, service, journalctl, hostnamectl, hostname, reboot, poweroff, halt, shutdown
    case initTool = "init"
    case telinit
    case mail, mailx, sendmail, sudo
    case keepCapabilities = "keep-capabilities"

    /// The tool that is called by that name or path; nil for none.
    init?(calledAs path: String) {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        self.init(rawValue: name)
    }

    /// Whether it takes the place of the host's program of that name, which would look for another
    /// PID 1 than ours.
    var replacesHosts: Bool {
        switch self {
        case .systemctl, .service, .journalctl, .hostnamectl, .reboot, .poweroff, .halt, .shutdown,
            .initTool, .telinit:
            true
        case .hostname, .mail, .mailx, .sendmail, .sudo, .keepCapabilities: false
        }
    }

    /// The folder that Debian has it in.
    var folder: String {
        switch self {
        case .systemctl, .journalctl, .hostnamectl, .hostname, .mail, .mailx, .sudo,
            .keepCapabilities:
            "/usr/bin"
        case .service, .reboot, .poweroff, .halt, .shutdown, .initTool, .telinit, .sendmail:
            "/usr/sbin"
        }
    }

    /// Does its work; answers its exit status.
    func run(_ arguments: [String]) -> Int32 {
        let console = Console.standard
        switch self {
        case .systemctl: return Systemctl(console).run(arguments)
        case .service: return ServiceTool(console).run(arguments)
        case .journalctl: return Journalctl(console).run(arguments)
        case .hostnamectl: return HostTool(console).hostnamectl(arguments)
        case .hostname: return HostTool(console).hostname(arguments)
        case .reboot, .poweroff, .halt, .shutdown, .initTool, .telinit:
            return PowerTool(console).run(rawValue, arguments)
        case .mail, .mailx, .sendmail: return runMail(arguments, console)
        case .sudo: return SudoTool(console).run(arguments)
        case .keepCapabilities: return CapabilityKeeper(console).run(arguments)
        }
    }

    private func runMail(_ arguments: [String], _ console: Console) -> Int32 {
        do {
            let tool = MailTool(console, users: try UserDatabase.ofMachine())
            let input = { try FileSystem.readAll(STDIN_FILENO, name: "standard input") }
            return self == .sendmail
                ? tool.sendmail(arguments, input: input) : tool.mail(arguments, input: input)
        } catch {
            console.printError("\(rawValue): \(error)")
            return EXIT_FAILURE
        }
    }
}

/// What a tool has of its surroundings; a test's are its own.
package struct Console {
    /// Prints a line to standard output.
    var print: (String) -> Void
    /// Prints a line to standard error.
    var printError: (String) -> Void
    /// Asks PID 1.
    var ask: (UnitRequest) throws -> UnitReply
    /// Asks PID 1 and does not wait until it is done.
    var tell: (UnitRequest) throws -> UnitReply
    /// The last lines of a unit's output, oldest first.
    var lines: (_ unit: String, _ count: Int) -> [StoredLine]
    /// The name of a process; nil when it is gone.
    var processName: (Int32) -> String?
    /// The node's clocks.
    var clock: WallClock
    var hostname: String

    package init(
        print: @escaping (String) -> Void, printError: @escaping (String) -> Void,
        ask: @escaping (UnitRequest) throws -> UnitReply,
        tell: @escaping (UnitRequest) throws -> UnitReply,
        lines: @escaping (_ unit: String, _ count: Int) -> [StoredLine],
        processName: @escaping (Int32) -> String?, clock: WallClock, hostname: String
    ) {
        self.print = print
        self.printError = printError
        self.ask = ask
        self.tell = tell
        self.lines = lines
        self.processName = processName
        self.clock = clock
        self.hostname = hostname
    }

    /// Those of this process.
    static var standard: Console {
        Console(
            print: { line in write("\(line)\n", to: STDOUT_FILENO) },
            printError: { line in write("\(line)\n", to: STDERR_FILENO) },
            ask: ManagerClient.ask, tell: ManagerClient.tell,
            lines: { unit, count in
                var file = JournalFile(unit)
                return Array(((try? file.readAll()) ?? []).suffix(count))
            },
            processName: { pid in (try? ProcessEntry.of(pid))?.command },
            clock: WallClock(), hostname: HostInformation.hostName)
    }

    private static func write(_ text: String, to descriptor: CInt) {
        do {
            try FileSystem.writeAll(Array(text.utf8)[...], to: descriptor, name: "the output")
        } catch {
            // Whoever was to read it is gone.
            exit(EXIT_FAILURE)
        }
    }
}

/// What a tool ends with when it was called in a wrong way.
package struct UsageError: Error, Equatable {
    var message: String
    var status: Int32 = 1
}
