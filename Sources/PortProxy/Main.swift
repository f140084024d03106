import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage

/// `port-proxy`: takes the connections to a lab's published ports and leads each to its target, as
/// docker's userland proxy does, so that nothing of the host's network has to be changed.
///
/// It is started in the network namespace of the lab's gateways, from which targets can be reached,
/// with a stream socket as its standard input. From descriptor 3 on it has listening sockets of
/// wherever they were opened; each argument is the target of one of them: `ADDRESS,PORT`. On the
/// stream come lines: `cut ADDRESS` ends all connections to that address. It ends when the other
/// end of the stream does.
@main
struct Main {
    static func main() {
        // It is asked for after the start and so may come too late; but then the stream has ended.
        _ = clinux_prctl(CLINUX_PR_SET_PDEATHSIG, UInt(SIGKILL))
        signal(SIGPIPE, SIG_IGN)
        do {
            let targets = CommandLine.arguments.dropFirst().compactMap(Target.init)
            guard targets.count == CommandLine.arguments.count - 1 else {
                StandardError.print("usage: port-proxy ADDRESS,PORT...")
                exit(EXIT_FAILURE)
            }
            let loop = try EventLoop()
            let proxy = Proxy(loop)
            for (place, target) in targets.enumerated() {
                let listener = SharedDescriptor(OwnedDescriptor(CInt(3 + place)))
                try proxy.serve(listener, target: target)
            }
            let orders = Orders(STDIN_FILENO)
            try loop.add(STDIN_FILENO, .readable) { _ in
                for address in orders.read() { proxy.cut(address) }
                if orders.isOver { loop.stop() }
            }
            try loop.run()
        } catch {
            StandardError.print("port-proxy: \(error)")
            exit(EXIT_FAILURE)
        }
    }
}

/// Where the connections to a published port lead.
struct Target: Hashable {
    var address: IPAddress
    var port: UInt16

    /// - Parameter text: `ADDRESS,PORT`.
    init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]), let port = UInt16(parts[1])
        else { return nil }
        self.address = address
        self.port = port
    }
}

/// What is said on the stream to whoever started the program.
final class Orders {
    private static let bufferBytes = 4 << 10
    private let socket: CInt
    private var received: [UInt8] = []
    /// Whether nothing more comes.
    private(set) var isOver = false

    init(_ socket: CInt) { self.socket = socket }

    /// The addresses whose connections are to be ended, of the lines that have come.
    func read() -> [IPAddress] {
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        while true {
            let count = recv(socket, &buffer, buffer.count, CLINUX_MSG_DONTWAIT)
            if count > 0 {
                received += buffer.prefix(count)
            } else if count < 0, errno == EINTR {
                continue
            } else {
                isOver = count == 0 || errno != EAGAIN
                break
            }
        }
        var addresses: [IPAddress] = []
        while let end = received.firstIndex(of: UInt8(ascii: "\n")) {
            let words = String(decoding: received[..<end], as: UTF8.self).split(separator: " ")
            received.removeSubrange(...end)
            if words.count == 2, words[0] == "cut", let address = IPAddress(words[1]) {
                addresses.append(address)
            }
        }
        return addresses
    }
}
