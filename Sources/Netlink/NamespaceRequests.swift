import CLibNL
import CLinux
import Glibc

extension Request {
    /// Gives another namespace a number in this one, by which notifications from it are told apart.
    ///
    /// Like `ip netns set NAME ID`. A namespace has one number for its whole life, and the kernel
    /// chooses one as soon as a veth pair reaches into it, so this comes before the first device:
    /// later it is EEXIST.
    public static func setNamespaceID(
        _ id: Int32, of namespace: NamespaceReference
    ) throws(NetlinkError) -> Request {
        try Request("ip netns set \(namespace) \(id)") { () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(RTM_NEWNSID))
            try message.put(namespace)
            try message.put(NETNSA_NSID, id)
            return message
        }
    }

    /// Asks for the number of another namespace; the answer is a message of type RTM_NEWNSID.
    static func namespaceID(of namespace: NamespaceReference) throws(NetlinkError) -> Request {
        try Request("ip netns list-id (\(namespace))") { () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(RTM_GETNSID))
            try message.put(namespace)
            return message
        }
    }
}

extension LibNLMessage {
    /// Appends the family header, which is one byte that libnl pads to four, and the namespace.
    fileprivate func put(_ namespace: NamespaceReference) throws(LibNLError) {
        try append(rtgenmsg(rtgen_family: UInt8(AF_UNSPEC)))
        switch namespace {
        case .descriptor(let number): try put(NETNSA_FD, UInt32(number))
        case .process(let pid): try put(NETNSA_PID, UInt32(pid))
        }
    }
}
