import CLinux
import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// The way out of an ordinary user's lab: a tap device in the namespace of its gateways, behind
/// which is ``Slirp4netns``.
///
/// What leaves by it gets the device's address, as what leaves root's labs gets that of the cable
/// (``HostNAT``); the host's own addresses are not to be reached by it either. There is nothing on
/// the host but a process, which ends with this.
final class UserNAT {
    /// How much of what it prints is kept for the message about its end.
    private static let maximumOutputBytes = 4096
    /// How long it may take to end.
    private static let patienceMilliseconds: CInt = 1000

    private let ends: Slirp4netns.Ends
    private let host: [IPAddress]
    private let loop: EventLoop
    private var printed: [UInt8] = []
    /// Whether anything gets out.
    private(set) var isOpen = false

    /// - Parameter host: the host's own addresses.
    init(_ ends: Slirp4netns.Ends, host: [IPAddress], loop: EventLoop) {
        self.ends = ends
        self.host = host
        self.loop = loop
    }

    /// Waits for the program and lets packets pass.
    ///
    /// - Parameters:
    ///   - namespace: calls what it is given with the gateways' namespace.
    ///   - completion: called once, when packets pass, or never will.
    func open(
        in namespace: @escaping ((borrowing NetworkNamespace) throws -> Void) throws -> Void,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) throws(SystemError) {
        try loop.add(ends.ready.rawValue, .readable) { [self] _ in
            loop.remove(ends.ready.rawValue)
            // It has ended without; why, it has printed.
            guard (try? read(ends.ready))?.isEmpty == false else { return }
            do {
                try namespace { try letPass(in: $0) }
                isOpen = true
                completion(.success(()))
            } catch {
                completion(.failure(LabError(refusal: error)))
            }
        }
        try loop.add(ends.output.rawValue, .readable) { [self] _ in
            if let bytes = try? read(ends.output), !bytes.isEmpty {
                printed = (printed + bytes).suffix(Self.maximumOutputBytes)
                return
            }
            loop.remove(ends.output.rawValue)
            let words = "slirp4netns has ended: \(lastWords)"
            guard isOpen else { return completion(.failure(.machine(words))) }
            isOpen = false
            StandardError.print("\(words); nothing gets out any more")
        }
    }

    /// Has the program end.
    func close() {
        ends.life.close()
        let deadline = MonotonicClock.now + .milliseconds(Int(Self.patienceMilliseconds))
        var waiting = pollfd(fd: ends.output.rawValue, events: Int16(POLLIN), revents: 0)
        while MonotonicClock.now < deadline, poll(&waiting, 1, Self.patienceMilliseconds) > 0,
            (try? read(ends.output))?.isEmpty == false
        {}
    }

    private func letPass(in namespace: borrowing NetworkNamespace) throws {
        try namespace.run {
            guard let device = try RouteSocket().link(named: Slirp4netns.device)?.device else {
                throw SystemError("find device \(Slirp4netns.device)", .noSuchFileOrDirectory)
            }
            try HostNAT.perform(.leaving(by: device, besides: host), on: FilterSocket())
            try FileSystem.writeParameter("1", to: ForwardingLoan.parameter)
        }
    }

    /// What it has printed but for notes that it prints always.
    private var lastWords: String {
        String(decoding: printed, as: UTF8.self).split(separator: "\n").filter {
            !$0.hasPrefix("WARNING: ") && !$0.hasPrefix("sent ") && !$0.hasPrefix("received ")
        }.joined(separator: "; ")
    }

    /// What can be read now; nothing at the end.
    private func read(_ descriptor: SharedDescriptor) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: Self.maximumOutputBytes)
        let number = descriptor.rawValue
        let count = try systemCall("read from slirp4netns") {
            Glibc.read(number, &buffer, buffer.count)
        }
        return Array(buffer.prefix(count))
    }
}
