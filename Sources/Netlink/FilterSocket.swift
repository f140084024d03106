import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A socket on which the kernel's packet filter (nf_tables) is changed.
///
/// It works on the namespace that the calling thread is in when it is made, whatever thread uses
/// it afterwards.
public struct FilterSocket: ~Copyable {
    /// An acknowledgement repeats at most the head of its request.
    private static let datagramBytes = 8 << 10

    private let socket: MinimalSocket

    /// - Throws: ``NetlinkError`` when the kernel refuses the socket.
    public init() throws(NetlinkError) {
        do throws(SystemError) {
            let opened = try MinimalSocket(
                NETLINK_NETFILTER, flags: CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK)
            try opened.bind()
            for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] { try opened.set(option, 1) }
            socket = opened
        } catch {
            throw NetlinkError("open packet filter socket", error)
        }
    }

    /// Makes all changes of a batch, or none of them.
    ///
    /// - Throws: ``NetlinkError`` of the first change that the kernel refused. A kernel without
    ///   nf_tables says EOPNOTSUPP.
    public func perform(_ batch: FilterBatch) throws(NetlinkError) {
        guard !batch.changes.isEmpty else { return }
        let refusal: NetlinkError?
        do throws(SystemError) {
            refusal = try exchange(batch)
        } catch {
            throw NetlinkError("\(batch)", error)
        }
        if let refusal { throw refusal }
    }

    /// - Returns: the first refusal.
    private func exchange(_ batch: FilterBatch) throws(SystemError) -> NetlinkError? {
        let bytes = batch.message
        let descriptor = socket.descriptor
        try systemCall("send to netlink socket") {
            Glibc.send(descriptor, bytes, bytes.count, CLINUX_MSG_NOSIGNAL)
        }
        // The kernel answers before the call that sends returns. A batch that is refused is
        // answered only where it went wrong.
        var missing = batch.changes.count
        var refusal: NetlinkError?
        while missing > 0 {
            var receipt = clinux_receipt()
            guard let datagram = try socket.receive(Self.datagramBytes, &receipt) else { break }
            guard receipt.netlink_port == 0 else { continue }
            for answer in NetlinkMessage.messages(in: datagram).compactMap(Answer.init) {
                missing -= 1
                refusal = refusal ?? answer.refusal(of: batch)
            }
        }
        if refusal == nil, missing > 0 {
            throw SystemError("receive from netlink socket", .timedOut)
        }
        return refusal
    }

    private struct Answer {
        var place: Int
        var acknowledgement: Acknowledgement

        init?(_ message: NetlinkMessage) {
            guard let acknowledgement = Acknowledgement(message) else { return nil }
            place = Int(message.sequence) - 1
            self.acknowledgement = acknowledgement
        }

        /// - Parameter batch: what was asked for; number 0 is the batch itself.
        func refusal(of batch: FilterBatch) -> NetlinkError? {
            guard acknowledgement.code != 0 else { return nil }
            return NetlinkError(
                operation: batch.changes.indices.contains(place)
                    ? batch.changes[place].operation : "\(batch)",
                code: Errno(rawValue: acknowledgement.code),
                kernelMessage: acknowledgement.kernelMessage)
        }
    }
}
