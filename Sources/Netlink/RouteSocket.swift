import CLibNL
import CLinux
import Glibc
import LinuxSystem
public import NetworkTypes
import SystemPackage

/// A socket on which the kernel's network configuration is read and changed.
///
/// It works on the namespace that the calling thread is in when it is made, whatever thread uses
/// it afterwards, and keeps that namespace alive: who wants a namespace to die drops its socket.
public struct RouteSocket: ~Copyable {
    /// How many requests one system call carries. The acknowledgements of all of them, about 1 KiB
    /// each, must fit the socket's receive buffer, because the kernel writes them before the call
    /// returns.
    static let maximumRequestsPerSend = 64
    /// The kernel's own default; libnl's is 32 KiB.
    static let bufferBytes: CInt = 208 << 10
    /// How often a dump is begun anew when the tables changed under it.
    static let maximumDumpAttempts = 10
    /// The kernel answers before the call that sends returns, so nobody ever waits that long.
    static let replySeconds = 5
    /// The kernel fits its dumps to the reader's buffer, up to this size.
    private static let datagramBytes = 32 << 10

    private let socket: LibNLSocket
    private let answers = AnswerBuffer()
    private var descriptor: CInt { nl_socket_get_fd(socket.pointer) }

    /// Opens a socket in the calling thread's namespace, closed on exec.
    ///
    /// - Throws: ``NetlinkError`` when the kernel refuses the socket.
    public init() throws(NetlinkError) {
        do throws(SystemError) {
            socket = try LibNLSocket.routeSocket(timeoutSeconds: Self.replySeconds)
        } catch {
            throw NetlinkError("open route netlink socket", error)
        }
    }

    // MARK: Changing

    /// Performs requests, in order and in as few system calls as possible.
    ///
    /// The kernel goes on after one that fails, so the requests after it have been tried as well.
    ///
    /// - Throws: ``NetlinkError`` of the first request that failed.
    public func perform(_ requests: [Request]) throws(NetlinkError) {
        for case let error? in try attempt(requests) { throw error }
    }

    /// Performs requests, in order and in as few system calls as possible.
    ///
    /// - Throws: ``NetlinkError`` of the first request that failed.
    public func perform(_ requests: Request...) throws(NetlinkError) { try perform(requests) }

    /// Performs requests and says of each what became of it: nil when it was performed.
    ///
    /// - Throws: ``NetlinkError`` when the socket itself fails; what became of the requests is
    ///   unknown then.
    public func attempt(_ requests: [Request]) throws(NetlinkError) -> [NetlinkError?] {
        var outcomes: [NetlinkError?] = []
        var rest = requests[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.maximumRequestsPerSend)
            outcomes += try exchange(batch) { _ in }.outcomes
            rest = rest.dropFirst(batch.count)
        }
        return outcomes
    }

    /// Performs requests that were made ready, in order and in one system call.
    ///
    /// - Returns: why those failed that did.
    /// - Throws: ``NetlinkError`` when the socket itself fails; what became of the requests is
    ///   unknown then.
    public func attempt(_ batch: RequestBatch) throws(NetlinkError) -> [NetlinkError] {
        do throws(SystemError) {
            let first = try send(batch)
            return try refusals(of: batch.starts.count, from: first).map { place, answer in
                NetlinkError(batch.requests[place], answer)
            }
        } catch {
            throw NetlinkError(batch.requests.first?.operation ?? "ask for nothing", error)
        }
    }

    /// Goes the way of ``attempt(_:)`` with nothing to ask for: what that needs of this program is
    /// in memory then.
    public func rehearse() { _ = try? attempt(.nothing) }

    // MARK: Reading

    /// All network devices, by index. Like `ip link show`.
    ///
    /// - Parameter namespaceID: the number of another namespace; nil for the socket's own.
    public func links(inNamespace namespaceID: Int32? = nil) throws(NetlinkError) -> [Link] {
        let request = try Request.dump("ip link show", RTM_GETLINK, ifinfomsg()) {
            message throws(LibNLError) in
            if let namespaceID { try message.put(IFLA_TARGET_NETNSID, namespaceID) }
        }
        return try dump(request) { Link($0) }
    }

    /// The device of that name, or nil. Like `ip link show NAME`.
    public func link(named name: InterfaceName) throws(NetlinkError) -> Link? {
        let request = try Request("ip link show \(name)") { () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(RTM_GETLINK))
            try message.append(ifinfomsg())
            try message.put(IFLA_IFNAME, name.text)
            return message
        }
        var found: Link?
        let outcome = try exchange([request]) { found = found ?? Link($0) }.outcomes[0]
        if let outcome, outcome.code.rawValue != ENODEV { throw outcome }
        return found
    }

    /// All addresses, or those of one device. Like `ip address show dev DEV`.
    ///
    /// - Parameter namespaceID: the number of another namespace; nil for the socket's own.
    public func addresses(
        of device: Device? = nil, inNamespace namespaceID: Int32? = nil
    ) throws(NetlinkError) -> [AssignedAddress] {
        let words = device.map { " dev \($0)" } ?? ""
        var header = ifaddrmsg()
        header.ifa_index = UInt32(device?.index ?? 0)
        let request = try Request.dump("ip address show\(words)", RTM_GETADDR, header) {
            message throws(LibNLError) in
            if let namespaceID { try message.put(IFA_TARGET_NETNSID, namespaceID) }
        }
        return try dump(request) { AssignedAddress($0) }
    }

    /// The routes of one table, by default the main one. Like `ip route show table TABLE`.
    public func routes(
        _ family: IPAddress.Family, table: UInt32 = Route.mainTable
    ) throws(NetlinkError) -> [Route] {
        var header = rtmsg()
        header.rtm_family = UInt8(family.number)
        let words = family == .v6 ? "ip -6 route show" : "ip route show"
        let request = try Request.dump("\(words) table \(table)", RTM_GETROUTE, header) {
            message throws(LibNLError) in
            try message.put(Int(RTA_TABLE.rawValue), table)
        }
        return try dump(request) { Route($0) }
    }

    /// The rules of the routing policy. Like `ip rule show`.
    public func rules(_ family: IPAddress.Family) throws(NetlinkError) -> [Rule] {
        var header = fib_rule_hdr()
        header.family = UInt8(family.number)
        let words = family == .v6 ? "ip -6 rule show" : "ip rule show"
        let request = try Request.dump(words, RTM_GETRULE, header) { _ throws(LibNLError) in }
        return try dump(request) { Rule($0) }
    }

    /// What this machine knows about its neighbours. Like `ip neighbour show dev DEV`.
    public func neighbours(of device: Device? = nil) throws(NetlinkError) -> [Neighbour] {
        let words = device.map { " dev \($0)" } ?? ""
        let request = try Request.dump("ip neighbour show\(words)", RTM_GETNEIGH, ndmsg()) {
            message throws(LibNLError) in
            if let device { try message.put(NDA_IFINDEX, device.index) }
        }
        return try dump(request) { Neighbour($0) }
    }

    /// The number of another namespace in this one, or nil when it has none. Like `ip netns
    /// list-id`.
    public func namespaceID(of namespace: NamespaceReference) throws(NetlinkError) -> Int32? {
        var id: Int32?
        let request = try Request.namespaceID(of: namespace)
        let outcome = try exchange([request]) { message in
            guard Int(message.type) == RTM_NEWNSID else { return }
            id = message.attributes(after: rtgenmsg.self).number(NETNSA_NSID)
        }.outcomes[0]
        if let outcome { throw outcome }
        return id.flatMap { $0 < 0 ? nil : $0 }
    }

    private func dump<Value>(
        _ request: Request, _ parse: (NetlinkMessage) -> Value?
    ) throws(NetlinkError) -> [Value] {
        for _ in 0..<Self.maximumDumpAttempts {
            var values: [Value] = []
            let (outcomes, isInterrupted) = try exchange([request]) { message in
                if let value = parse(message) { values.append(value) }
            }
            if let error = outcomes[0] { throw error }
            if !isInterrupted { return values }
        }
        throw NetlinkError(operation: request.operation, code: .interrupted)
    }

    // MARK: The exchange

    /// Sends requests at once and reads until each of them is answered.
    ///
    /// - Parameter reply: gets every other message that answers one of the requests.
    /// - Returns: what became of each request, and whether a dump was disturbed by a change.
    private func exchange(
        _ requests: ArraySlice<Request>, _ reply: (NetlinkMessage) -> Void
    ) throws(NetlinkError) -> (outcomes: [NetlinkError?], isInterrupted: Bool) {
        let batch = RequestBatch(requests)
        let requests = batch.requests
        guard let first = requests.first else { return ([], false) }
        do throws(SystemError) {
            let sequence = try send(batch)
            var answers = [Acknowledgement?](repeating: nil, count: requests.count)
            var missing = requests.count
            var isInterrupted = false
            while missing > 0 {
                for message in NetlinkMessage.messages(in: try receive()) {
                    // What an earlier exchange left unread when it failed has an older number.
                    let place = Int(message.sequence &- sequence)
                    guard place < requests.count else { continue }
                    isInterrupted =
                        isInterrupted || CInt(message.flags) & NLM_F_DUMP_INTR != 0
                    guard let answer = Acknowledgement(message) else {
                        reply(message)
                        continue
                    }
                    if answers[place] == nil { missing -= 1 }
                    answers[place] = answer
                }
            }
            let outcomes = zip(requests, answers).map { request, answer -> NetlinkError? in
                guard let answer, answer.code != 0 else { return nil }
                return NetlinkError(request, answer)
            }
            return (outcomes, isInterrupted)
        } catch {
            let others = requests.count > 1 ? " and \(requests.count - 1) more" : ""
            throw NetlinkError(first.operation + others, error)
        }
    }

    /// - Returns: the sequence number of the first; the others follow it.
    private func send(_ batch: RequestBatch) throws(SystemError) -> UInt32 {
        var bytes = batch.bytes
        let sequence = nl_socket_use_seq(socket.pointer)
        bytes.withUnsafeMutableBytes { bytes in
            for (place, start) in batch.starts.enumerated() {
                let number = place == 0 ? sequence : nl_socket_use_seq(socket.pointer)
                bytes.storeBytes(
                    of: number, toByteOffset: start + Self.sequenceOffset, as: UInt32.self)
            }
        }
        try systemCall("send to netlink socket") {
            Glibc.send(descriptor, bytes, bytes.count, CLINUX_MSG_NOSIGNAL)
        }
        return sequence
    }

    /// Of `nlmsg_seq` in `struct nlmsghdr`: the length, the type and the flags come before it.
    private static let sequenceOffset = 8

    /// Reads until requests that change something are answered, in the buffer that is there: what
    /// answers them is short.
    ///
    /// - Returns: what was refused, by the request's place.
    private func refusals(
        of count: Int, from sequence: UInt32
    ) throws(SystemError) -> [(place: Int, answer: Acknowledgement)] {
        var refusals: [(place: Int, answer: Acknowledgement)] = []
        var missing = count
        while missing > 0 {
            var receipt = clinux_receipt()
            let received = try systemCallUnlessBlocked("receive from netlink socket") {
                clinux_receive_stamped(
                    descriptor, answers.bytes.baseAddress, answers.bytes.count, 0, &receipt)
            }
            guard let length = received else {
                throw SystemError("receive from netlink socket", .timedOut)
            }
            if receipt.flags & CLINUX_MSG_TRUNC != 0 {
                throw SystemError("receive from netlink socket", .messageTooLong)
            }
            guard receipt.netlink_port == 0 else { continue }
            let datagram = UnsafeRawBufferPointer(rebasing: answers.bytes[..<length])
            // As nearly always: one that says that a request was performed.
            if let done = NetlinkMessage.sequenceOfPerformed(datagram) {
                if Int(done &- sequence) < count { missing -= 1 }
                continue
            }
            for message in NetlinkMessage.messages(in: Array(datagram)) {
                let place = Int(message.sequence &- sequence)
                guard place < count, let answer = Acknowledgement(message) else { continue }
                missing -= 1
                if answer.code != 0 { refusals.append((place, answer)) }
            }
        }
        return refusals
    }

    /// The next datagram from the kernel itself.
    private func receive() throws(SystemError) -> [UInt8] {
        while true {
            var receipt = clinux_receipt()
            guard
                let datagram = try receiveDatagram(
                    descriptor, Self.datagramBytes, flags: 0, &receipt)
            else { throw SystemError("receive from netlink socket", .timedOut) }
            if receipt.flags & CLINUX_MSG_TRUNC != 0 {
                throw SystemError("receive from netlink socket", .messageTooLong)
            }
            if receipt.netlink_port == 0 { return datagram }
        }
    }
}

/// Where answers to changes are read into.
private final class AnswerBuffer {
    /// Room for the longest of them, with the kernel's words and the head of the request.
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 8)

    deinit { bytes.deallocate() }
}

extension NetlinkError {
    fileprivate init(_ request: Request, _ answer: Acknowledgement) {
        self.init(
            operation: request.operation, code: Errno(rawValue: answer.code),
            kernelMessage: answer.kernelMessage)
    }
}

extension LibNLSocket {
    fileprivate static func routeSocket(
        timeoutSeconds: Int
    ) throws(SystemError) -> LibNLSocket {
        // Questions are answered as asked: a filter that the kernel does not know is an error.
        let socket = try connected(
            to: NETLINK_ROUTE, timeoutSeconds: timeoutSeconds, also: [NETLINK_GET_STRICT_CHK])
        let buffer = RouteSocket.bufferBytes
        if nl_socket_set_buffer_size(socket.pointer, buffer, buffer) < 0 {
            throw SystemError("set buffer size of netlink socket", Errno(rawValue: errno))
        }
        return socket
    }

    /// A socket of a netlink family, with the kernel's own words about errors, and only the head of
    /// the request back with them.
    ///
    /// - Parameters:
    ///   - timeoutSeconds: how long an answer may take.
    ///   - options: what is switched on beside that.
    static func connected(
        to family: CInt, timeoutSeconds: Int, also options: [CInt] = []
    ) throws(SystemError) -> LibNLSocket {
        let socket: LibNLSocket
        do throws(LibNLError) {
            socket = try LibNLSocket()
        } catch {
            throw SystemError("allocate netlink socket", error.code)
        }
        // libnl folds several reasons into one number of its own; errno is still the kernel's.
        if nl_connect(socket.pointer, family) < 0 {
            throw SystemError("connect netlink socket", Errno(rawValue: errno))
        }
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] + options {
            try socket.set(CLINUX_SOL_NETLINK, option, CInt(1))
        }
        try socket.set(SOL_SOCKET, SO_RCVTIMEO, timeval(tv_sec: timeoutSeconds, tv_usec: 0))
        return socket
    }

    func set<Value: BitwiseCopyable>(
        _ level: CInt, _ option: CInt, _ value: Value
    ) throws(SystemError) {
        var value = value
        try systemCall("set socket option \(option)") {
            setsockopt(
                nl_socket_get_fd(pointer), level, option, &value,
                socklen_t(MemoryLayout<Value>.size))
        }
    }
}

extension Request {
    /// A question for every object of a kind, with the family header that says which.
    fileprivate static func dump<Header: BitwiseCopyable>(
        _ operation: String, _ type: Int, _ header: Header,
        _ attributes: (borrowing LibNLMessage) throws(LibNLError) -> Void
    ) throws(NetlinkError) -> Request {
        try Request(operation) { () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(type), flags: NLM_F_DUMP)
            try message.append(header)
            try attributes(message)
            return message
        }
    }
}
