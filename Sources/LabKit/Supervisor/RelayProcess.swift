import CLinux
import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import SystemPackage
import Wire

/// The process that stands in the middle of impaired cables (`wire-relay`), and what it is told.
///
/// It runs in the supervisor's namespaces: in the fabric, and it ends with the lab.
final class RelayProcess {
    private let loop: EventLoop
    private let process: Program.Started
    private let socket: SharedDescriptor
    private var replies = ReplyLines()
    private var pending: [UInt8] = []
    private var answers: [Int: (Result<Void, LabError>) -> Void] = [:]
    private var lastID = 0
    private var isOver = false
    /// Called once, when the process has ended without having been told to.
    var onEnd: () -> Void = {}
    /// Called when a link has ended by itself: an interface of it has gone.
    var onLinkEnd: () -> Void = {}

    /// Starts it.
    ///
    /// - Throws: ``SystemError`` when the kernel makes no process, or there is no such program.
    init(program: String, log: CInt, loop: EventLoop) throws {
        self.loop = loop
        let (ours, theirs) = try MessageChannel.pair()
        let null = try OwnedDescriptor.null()
        let start = Program(
            path: program, arguments: ["wire-relay", "--control", "3"], environment: [],
            descriptors: [null.rawValue, log, log, theirs.rawValue])
        process = try start.start()
        theirs.close()
        socket = ours
        try loop.add(process.pidDescriptor.rawValue, .readable) { [self] _ in ended() }
        try loop.add(ours.rawValue, .readable) { [self] interest in
            if interest.contains(.writable) { flush() }
            receive()
        }
    }

    /// Has these links, and no others, obey their rules. `completion` is called when they do, or
    /// with why they do not.
    func set(_ links: [WireLink], completion: @escaping (Result<Void, LabError>) -> Void) {
        lastID += 1
        answers[lastID] = completion
        do {
            pending += try JSONEncoder().encode(WireRequest.set(links, id: lastID))
            pending.append(UInt8(ascii: "\n"))
        } catch {
            return answer(lastID, .failure(.failed("\(error)")))
        }
        flush()
    }

    /// Ends it, with all its links; it is kept until it has been reaped. It is told by the end of
    /// its stream: a process that is killed has its packet sockets closed one after the other, each
    /// of which takes the kernel some milliseconds.
    func end() {
        onEnd = {}
        shutdown(socket.rawValue, Int32(SHUT_WR))
    }

    private func flush() {
        while !pending.isEmpty {
            let count = send(
                socket.rawValue, pending, pending.count, CLINUX_MSG_DONTWAIT | CLINUX_MSG_NOSIGNAL)
            guard count > 0 else { break }
            pending.removeFirst(count)
        }
        try? loop.modify(
            socket.rawValue, pending.isEmpty ? .readable : [.readable, .writable])
    }

    private func receive() {
        guard !isOver else { return }
        let (lines, isAtEnd) = replies.read(socket.rawValue)
        if isAtEnd { loop.remove(socket.rawValue) }
        for line in lines {
            guard let reply = try? JSONDecoder().decode(WireReply.self, from: line) else {
                StandardError.print("wire-relay says what nobody understands")
                continue
            }
            guard let id = reply.id else {
                onLinkEnd()
                continue
            }
            answer(id, reply.error.map { .failure(.failed($0)) } ?? .success(()))
        }
    }

    private func answer(_ id: Int, _ result: Result<Void, LabError>) {
        answers.removeValue(forKey: id)?(result)
    }

    private func ended() {
        guard !isOver else { return }
        receive()
        isOver = true
        loop.remove(process.pidDescriptor.rawValue)
        loop.remove(socket.rawValue)
        _ = Termination.reap(process.pid)
        socket.close()
        let waiting = answers.values
        answers = [:]
        // Whoever hears that it has not obeyed may want another one.
        onEnd()
        for answer in waiting { answer(.failure(.failed("wire-relay has ended"))) }
    }
}
