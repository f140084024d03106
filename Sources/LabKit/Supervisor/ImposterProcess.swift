import CLinux
import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import Spoofing
import SystemPackage

/// The process that is a station of nobody's on a network (`imposter`).
///
/// It runs in the supervisor's namespaces: in the fabric, and it ends with the lab.
final class ImposterProcess {
    /// What it does.
    let order: StationOrder
    private let loop: EventLoop
    private let process: Program.Started
    private let socket: SharedDescriptor
    private var replies = ReplyLines()
    private var isOver = false
    private var isDismissed = false
    /// Called once: when it stands and sends, or with why it does not.
    private var onStart: ((Result<Void, LabError>) -> Void)?
    /// Called once, when the process is no more; whether it was told to end.
    private let onEnd: (_ wasDismissed: Bool) -> Void

    /// What it says of itself.
    private struct Reply: Decodable {
        var ready: Bool?
        var error: String?
    }

    /// Starts it; it begins with what it is ordered to do, and says so.
    ///
    /// - Throws: ``SystemError`` when the kernel makes no process, or there is no such program.
    init(
        program: String, _ order: StationOrder, log: CInt, loop: EventLoop,
        onEnd: @escaping (_ wasDismissed: Bool) -> Void
    ) throws {
        self.order = order
        self.loop = loop
        self.onEnd = onEnd
        let (ours, theirs) = try MessageChannel.pair()
        process = try Program(
            path: program, arguments: ["imposter"], environment: [],
            descriptors: [theirs.rawValue, log, log]
        ).start()
        theirs.close()
        socket = ours
        try loop.add(process.pidDescriptor.rawValue, .readable) { [self] _ in ended() }
        try loop.add(ours.rawValue, .readable) { [self] _ in receive() }
    }

    /// Tells it to begin. `completion` is called when it has, or with why it has not.
    func begin(completion: @escaping (Result<Void, LabError>) -> Void) {
        onStart = completion
        do {
            var line = [UInt8](try JSONEncoder().encode(order))
            line.append(UInt8(ascii: "\n"))
            // Some kilobytes into an empty socket.
            let count = send(socket.rawValue, line, line.count, CLINUX_MSG_NOSIGNAL)
            if count != line.count { started(.failure(.failed("imposter takes no order"))) }
        } catch {
            started(.failure(.failed("\(error)")))
        }
    }

    /// Ends it; it is kept until it has been reaped.
    func dismiss() {
        isDismissed = true
        shutdown(socket.rawValue, Int32(SHUT_RDWR))
        kill(process.pid, SIGKILL)
    }

    private func started(_ result: Result<Void, LabError>) {
        let completion = onStart
        onStart = nil
        completion?(result)
    }

    private func receive() {
        guard !isOver else { return }
        let (lines, isAtEnd) = replies.read(socket.rawValue)
        if isAtEnd { loop.remove(socket.rawValue) }
        for line in lines {
            let reply = try? JSONDecoder().decode(Reply.self, from: line)
            if let error = reply?.error { started(.failure(.failed("imposter: \(error)"))) }
            if reply?.ready == true { started(.success(())) }
        }
    }

    private func ended() {
        guard !isOver else { return }
        receive()
        isOver = true
        loop.remove(process.pidDescriptor.rawValue)
        loop.remove(socket.rawValue)
        _ = Termination.reap(process.pid)
        socket.close()
        onEnd(isDismissed)
        started(.failure(.failed("imposter has ended")))
    }
}
