import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Tells when interfaces have gone from the network namespace it was made in (rtnetlink(7)).
///
/// A packet socket alone does not: an interface that is deleted goes down first, of which the
/// socket is told, and of its going nothing is said to a socket that is down (packet_notifier,
/// net/packet/af_packet.c).
struct LinkWatch: ~Copyable {
    private let socket: OwnedDescriptor
    var descriptor: CInt { socket.rawValue }

    /// - Throws: ``SystemError`` when the kernel has no memory for it.
    init() throws(SystemError) {
        let opened = OwnedDescriptor(
            try systemCall("open a netlink socket") {
                Glibc.socket(
                    AF_NETLINK,
                    CInt(SOCK_RAW.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK, 0)
            })
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = 1  // RTMGRP_LINK
        let number = opened.rawValue
        try systemCall("listen for links") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
                }
            }
        }
        socket = opened
    }

    /// Whether an interface has gone since the last look, or may have: the kernel had too much to
    /// say.
    func hasLostInterfaces() -> Bool {
        var (isLost, header) = (false, nlmsghdr())
        while true {
            // The rest of the message is not read: which one it was, the ports know better.
            let count = recv(descriptor, &header, MemoryLayout<nlmsghdr>.size, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return isLost || errno == ENOBUFS }
            if header.nlmsg_type == UInt16(RTM_DELLINK) { isLost = true }
        }
    }
}
