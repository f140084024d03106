import CLinux
import Glibc
public import NetworkTypes
import SystemPackage

// What sockets have in common, raw ones of both families above all.

extension SharedDescriptor {
    /// TC_PRIO_CONTROL: before all other traffic in the device's queue.
    private static let controlPriority: CInt = 7
    /// BPF_RET with BPF_K: the packet is over, take as many bytes of it as the operand says.
    private static let returnConstant: UInt16 = 0x06

    /// Opens a raw socket that is bound to a device, unless that is 0.
    static func raw(
        _ family: CInt, _ ipProtocol: UInt8, device: Int32
    ) throws(SystemError) -> SharedDescriptor {
        let descriptor = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open a raw socket for protocol \(ipProtocol)") {
                    socket(
                        family,
                        Int32(SOCK_RAW.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK,
                        Int32(ipProtocol))
                }))
        if device != 0 { try descriptor.set(SOL_SOCKET, CLINUX_SO_BINDTOIFINDEX, device) }
        return descriptor
    }

    /// Binds a socket to a device by its name (SO_BINDTODEVICE).
    public func bind(to device: InterfaceName) throws(SystemError) {
        let number = rawValue
        let name = Array(device.text.utf8)
        try systemCall("bind a socket to \(device)") {
            setsockopt(
                number, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.count))
        }
    }

    /// Sets a socket option. Like setsockopt(2).
    public func set<Value: BitwiseCopyable>(
        _ level: some BinaryInteger, _ option: CInt, _ value: Value
    ) throws(SystemError) {
        var value = value
        let number = rawValue
        try systemCall("set option \(option) of a socket") {
            setsockopt(number, CInt(level), option, &value, socklen_t(MemoryLayout<Value>.size))
        }
    }

    /// Makes a socket one for sending: before other traffic, and without a queue that fills.
    ///
    /// A raw socket is handed every packet of its protocol; a filter that takes none keeps them
    /// out.
    func setSendingOnly() throws(SystemError) {
        try set(SOL_SOCKET, SO_PRIORITY, Self.controlPriority)
        var refuse = sock_filter(code: Self.returnConstant, jt: 0, jf: 0, k: 0)
        let number = rawValue
        try withUnsafeMutablePointer(to: &refuse) { instruction throws(SystemError) in
            var program = sock_fprog(len: 1, filter: instruction)
            try systemCall("attach a packet filter") {
                setsockopt(
                    number, SOL_SOCKET, CLINUX_SO_ATTACH_FILTER, &program,
                    socklen_t(MemoryLayout<sock_fprog>.size))
            }
        }
    }
}
