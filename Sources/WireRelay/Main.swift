import CLinux
import Glibc
import LinuxSystem

/// `wire-relay --control DESCRIPTOR [--namespace PATH]`: stands in the middle of links of the
/// network namespace that it is started in, or of the one at that path, and does to frames what it
/// is told over the stream socket with that number: one JSON object a line (``WireRequest``,
/// ``WireReply``).
///
/// It ends when the other end of the stream does, or the thread that started it. What it leaves is
/// nothing: sockets, and the promiscuity of interfaces with them.
@main
struct Main {
    static func main() {
        guard let options = Options(CommandLine.arguments.dropFirst()) else {
            StandardError.print("wire-relay: usage: --control DESCRIPTOR [--namespace PATH]")
            exit(2)
        }
        guard fcntl(options.control, F_GETFD) >= 0 else {
            StandardError.print("wire-relay: descriptor \(options.control) is not open")
            exit(2)
        }
        // It is asked for after the start and so may come too late; but then the stream has ended.
        _ = clinux_prctl(CLINUX_PR_SET_PDEATHSIG, UInt(SIGKILL))
        do {
            if let path = options.namespace { try enter(path) }
            try Relay(control: OwnedDescriptor(options.control)).run()
        } catch {
            StandardError.print("wire-relay: \(error)")
            exit(EXIT_FAILURE)
        }
    }

    private static func enter(_ path: String) throws(SystemError) {
        let file = OwnedDescriptor(
            try systemCall("open network namespace \(path)") {
                clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
            })
        try NetworkNamespace(file).enterForGood()
    }
}

/// What the program is started with.
struct Options {
    var control: CInt
    /// The path of a network namespace; nil: the program's own.
    var namespace: String?

    /// Nil for anything else than the usage says.
    init?(_ words: some Sequence<String>) {
        var words = words.makeIterator()
        var control: CInt?
        while let word = words.next() {
            guard let value = words.next() else { return nil }
            switch word {
            case "--control": control = CInt(value)
            case "--namespace": namespace = value
            default: return nil
            }
        }
        guard let control, control >= 0 else { return nil }
        self.control = control
    }
}
