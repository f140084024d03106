import CLibNL
import CLinux
import Glibc
import LinuxSystem
public import NetworkTypes
import SystemPackage

/// A socket on which the kernel's load balancer (ip_vs) is read and changed, by generic netlink.
///
/// It works on the network namespace that the calling thread is in when it is made.
public struct IPVSSocket: ~Copyable {
    /// The kernel answers before the call that sends returns, so nobody ever waits that long.
    private static let replySeconds = 5
    /// What the kernel writes a dump in pieces of.
    private static let datagramBytes = 32 << 10

    private let socket: LibNLSocket
    /// The number that the kernel gave the family IPVS.
    private let family: CInt
    private var descriptor: CInt { nl_socket_get_fd(socket.pointer) }

    /// Opens a socket, for which the kernel loads ip_vs where it can.
    ///
    /// - Throws: ``NetlinkError``; ENOENT where the kernel has no ip_vs.
    public init() throws(NetlinkError) {
        let opened = try Self.open()
        // libnl asks the kernel for the number, and the kernel asks modprobe for the module.
        let number = genl_ctrl_resolve(opened.pointer, Self.familyName)
        guard number >= 0 else {
            throw NetlinkError(operation: Self.opening, code: .noSuchFileOrDirectory)
        }
        socket = opened
        family = number
    }

    private static func open() throws(NetlinkError) -> LibNLSocket {
        do throws(SystemError) {
            return try LibNLSocket.connected(
                to: NETLINK_GENERIC, timeoutSeconds: replySeconds)
        } catch {
            throw NetlinkError(opening, error)
        }
    }

    private static let opening = "open ip_vs netlink socket"
    /// IPVS_GENL_NAME.
    private static let familyName = "IPVS"

    // MARK: Changing

    /// Changes the table.
    ///
    /// - Throws: ``NetlinkError`` with the `ipvsadm` command that asks the same: EEXIST for what
    ///   is there already, ENOENT for what is not.
    public func perform(_ command: IPVSCommand) throws(NetlinkError) {
        let (family, number) = (family, command.number)
        let request = try Request("\(command)") { () throws(LibNLError) in
            let message = try LibNLMessage(type: family)
            try message.append(Self.header(number))
            try message.put(command)
            return message
        }
        _ = try exchange(request)
    }

    // MARK: Reading

    /// All services. Like `ipvsadm -Ln`, without destinations.
    public func services() throws(NetlinkError) -> [IPVSService] {
        try dump("ipvsadm -Ln", IPVS_CMD_GET_SERVICE) { _ throws(LibNLError) in
        }.compactMap { IPVSService(reply: $0) }
    }

    /// The destinations of a service.
    public func destinations(
        of service: IPVSService
    ) throws(NetlinkError) -> [IPVSDestination] {
        try dump("ipvsadm -Ln \(service.key)", IPVS_CMD_GET_DEST) { message throws(LibNLError) in
            try message.put(service, isKeyOnly: true)
        }.compactMap { IPVSDestination(reply: $0, of: service.family) }
    }

    private func dump(
        _ operation: String, _ number: Int,
        _ body: (borrowing LibNLMessage) throws(LibNLError) -> Void
    ) throws(NetlinkError) -> [NetlinkMessage] {
        let family = family
        let request = try Request(operation) { () throws(LibNLError) in
            let message = try LibNLMessage(type: family, flags: NLM_F_DUMP)
            try message.append(Self.header(number))
            try body(message)
            return message
        }
        return try exchange(request)
    }

    private static func header(_ command: Int) -> genlmsghdr {
        genlmsghdr(cmd: UInt8(command), version: 1, reserved: 0)
    }

    // MARK: The exchange

    /// Sends a request and reads what answers it, up to the acknowledgement.
    private func exchange(_ request: Request) throws(NetlinkError) -> [NetlinkMessage] {
        var replies: [NetlinkMessage] = []
        let answer: Acknowledgement
        do throws(SystemError) {
            answer = try acknowledgement(of: try send(request.message)) { replies.append($0) }
        } catch {
            throw NetlinkError(request.operation, error)
        }
        guard answer.code != 0 else { return replies }
        throw NetlinkError(
            operation: request.operation, code: Errno(rawValue: answer.code),
            kernelMessage: answer.kernelMessage)
    }

    /// Reads up to the end of what answers a request.
    private func acknowledgement(
        of sequence: UInt32, _ reply: (NetlinkMessage) -> Void
    ) throws(SystemError) -> Acknowledgement {
        while true {
            for message in NetlinkMessage.messages(in: try receive())
            where message.sequence == sequence {
                guard let answer = Acknowledgement(message) else {
                    reply(message)
                    continue
                }
                return answer
            }
        }
    }

    private func send(_ message: [UInt8]) throws(SystemError) -> UInt32 {
        var message = message
        let sequence = nl_socket_use_seq(socket.pointer)
        message.withUnsafeMutableBytes { bytes in
            var header = bytes.loadUnaligned(as: nlmsghdr.self)
            header.nlmsg_seq = sequence
            header.nlmsg_flags |= UInt16(NLM_F_REQUEST | NLM_F_ACK)
            bytes.storeBytes(of: header, as: nlmsghdr.self)
        }
        let number = descriptor
        try systemCall("send to netlink socket") {
            Glibc.send(number, message, message.count, CLINUX_MSG_NOSIGNAL)
        }
        return sequence
    }

    private func receive() throws(SystemError) -> [UInt8] {
        var receipt = clinux_receipt()
        guard
            let datagram = try receiveDatagram(
                descriptor, Self.datagramBytes, flags: 0, &receipt)
        else { throw SystemError("receive from netlink socket", .timedOut) }
        return datagram
    }
}
