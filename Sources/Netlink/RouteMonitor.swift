import CLibMNL
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A socket on which the kernel tells what changes in network namespaces.
///
/// It belongs to the namespace that the calling thread is in when it is made, whatever thread uses
/// it afterwards, and holds no other namespace alive.
public struct RouteMonitor: ~Copyable {
    /// What to be told about.
    public struct Subjects: OptionSet, Sendable {
        public var rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let links = Subjects(rawValue: 1)
        /// Addresses of both families.
        public static let addresses = Subjects(rawValue: 2)
        /// Routes of both families.
        public static let routes = Subjects(rawValue: 4)
        public static let neighbours = Subjects(rawValue: 8)
        /// Rules of the routing policy of both families.
        public static let rules = Subjects(rawValue: 16)

        fileprivate var groups: [rtnetlink_groups] {
            (contains(.links) ? [RTNLGRP_LINK] : [])
                + (contains(.addresses) ? [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR] : [])
                + (contains(.routes) ? [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE] : [])
                + (contains(.neighbours) ? [RTNLGRP_NEIGH] : [])
                + (contains(.rules) ? [RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE] : [])
        }
    }

    /// How much may wait to be read before notifications are lost: a lab of a thousand nodes makes
    /// about ten for each while it comes up, of 1 to 2 KiB.
    public static let receiveBufferBytes: CInt = 32 << 20
    /// How many datagrams one ``drain()`` reads at most, so that a storm of changes does not keep
    /// an event loop from its other work.
    public static let maximumDatagramsPerDrain = 1024
    /// The largest message the kernel makes of a device is a few KiB.
    private static let datagramBytes = 32 << 10

    private let socket: MinimalSocket

    /// Begins to listen in the calling thread's namespace.
    ///
    /// - Parameters:
    ///   - allNamespaces: whether to be told also about every namespace that has a number in this
    ///     one (``Request/setNamespaceID(_:of:)``), which needs CAP_NET_BROADCAST over both.
    ///   - receiveBufferBytes: how much may wait to be read before notifications are lost.
    /// - Throws: ``NetlinkError`` when the kernel refuses the socket or one of its options.
    public init(
        _ subjects: Subjects = [.links, .addresses], allNamespaces: Bool = false,
        receiveBufferBytes: CInt = RouteMonitor.receiveBufferBytes
    ) throws(NetlinkError) {
        do throws(SystemError) {
            socket = try Self.listen(
                to: subjects.groups, allNamespaces: allNamespaces,
                receiveBufferBytes: receiveBufferBytes)
        } catch {
            throw NetlinkError("ip monitor\(allNamespaces ? " all-nsid" : "")", error)
        }
    }

    private static func listen(
        to groups: [rtnetlink_groups], allNamespaces: Bool, receiveBufferBytes: CInt
    ) throws(SystemError) -> MinimalSocket {
        let socket = try MinimalSocket(flags: CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK)
        try socket.bind()
        try socket.enlargeReceiveBuffer(to: receiveBufferBytes)
        if allNamespaces { try socket.set(NETLINK_LISTEN_ALL_NSID, 1) }
        for group in groups {
            try socket.set(NETLINK_ADD_MEMBERSHIP, CInt(group.rawValue))
        }
        return socket
    }

    /// The number of its descriptor, for an event loop: it is readable when ``drain()`` has
    /// something to return.
    public var descriptor: CInt { socket.descriptor }

    /// What changed since the last call, in order; nothing when nothing did.
    ///
    /// - Throws: ``NetlinkError`` when the socket fails. Lost notifications are not an error but
    ///   an ``Notification/Kind/overrun``.
    public func drain() throws(NetlinkError) -> [Notification] {
        var notifications: [Notification] = []
        for _ in 0..<Self.maximumDatagramsPerDrain {
            var receipt = clinux_receipt()
            do {
                guard let datagram = try socket.receive(Self.datagramBytes, &receipt) else { break }
                // Anyone may send to a netlink socket; only the kernel does so from port 0.
                guard receipt.netlink_port == 0 else { continue }
                if receipt.flags & CLINUX_MSG_TRUNC != 0 {
                    notifications.append(Notification(namespaceID: nil, kind: .overrun))
                }
                let id = receipt.network_namespace_id
                notifications += Notification.parse(datagram, namespaceID: id < 0 ? nil : id)
            } catch  where error.code == .noBufferSpace {
                notifications.append(Notification(namespaceID: nil, kind: .overrun))
            } catch {
                throw NetlinkError("ip monitor", error)
            }
        }
        return notifications
    }
}

/// `struct mnl_socket`, a netlink socket, with what libmnl does not do for it.
struct MinimalSocket: ~Copyable {
    private let pointer: OpaquePointer

    init(_ subsystem: CInt = NETLINK_ROUTE, flags: CInt) throws(SystemError) {
        guard let pointer = mnl_socket_open2(subsystem, flags) else {
            throw SystemError("open netlink socket", Errno(rawValue: errno))
        }
        self.pointer = pointer
    }

    /// Makes it an address the kernel can send to.
    func bind() throws(SystemError) {
        // Any port: two monitors in one process must not ask for the same.
        try systemCall("bind netlink socket") {
            mnl_socket_bind(pointer, 0, MNL_SOCKET_AUTOPID)
        }
    }

    deinit { mnl_socket_close(pointer) }

    var descriptor: CInt { mnl_socket_get_fd(pointer) }

    func set(_ option: CInt, _ value: CInt) throws(SystemError) {
        var value = value
        try systemCall("set netlink option \(option)") {
            mnl_socket_setsockopt(pointer, option, &value, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    /// Beyond the system's limit if allowed (CAP_NET_ADMIN), else up to it.
    func enlargeReceiveBuffer(to bytes: CInt) throws(SystemError) {
        var bytes = bytes
        let size = socklen_t(MemoryLayout<CInt>.size)
        do {
            try systemCall("set SO_RCVBUFFORCE") {
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, size)
            }
        } catch  where error.code == .notPermitted {
            try systemCall("set SO_RCVBUF") {
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, size)
            }
        }
    }

    /// One datagram, or nil when there is none.
    func receive(
        _ capacity: Int, _ receipt: inout clinux_receipt
    ) throws(SystemError) -> [UInt8]? {
        try receiveDatagram(descriptor, capacity, flags: 0, &receipt)
    }
}

/// One datagram of at most `capacity` bytes, or nil when there is none on a socket that does not
/// wait.
func receiveDatagram(
    _ descriptor: CInt, _ capacity: Int, flags: CInt, _ receipt: inout clinux_receipt
) throws(SystemError) -> [UInt8]? {
    var failure: SystemError?
    var isThere = false
    let datagram = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        do throws(SystemError) {
            let received = try systemCallUnlessBlocked("receive from netlink socket") {
                clinux_receive_stamped(descriptor, buffer.baseAddress, capacity, flags, &receipt)
            }
            isThere = received != nil
            count = received ?? 0
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return isThere ? datagram : nil
}
