import CLinux
import Glibc
public import NetworkTypes
import SystemPackage

/// A packet socket (packet(7)) that captures frames of every device of its network namespace, with
/// the kernel's arrival stamps.
public final class PacketCapture {
    /// A captured frame.
    public struct Frame {
        /// When the kernel took it from the device.
        public var time: MonotonicInstant
        /// How far `time` can be off: the kernel stamps with CLOCK_REALTIME, which is converted.
        public var uncertainty: Duration
        /// The device it entered by, in the socket's namespace.
        public var interfaceIndex: Int32
        /// The Ethernet frame, as far as the filter lets it in.
        public var bytes: [UInt8]
    }

    /// The largest frame that is kept whole: what a veth passes where its ends leave segmenting to
    /// each other.
    public static let maximumFrameBytes = 1 << 17
    /// How many frames one ``drain()`` reads at most, so that a flood does not keep an event loop
    /// from its other work.
    public static let maximumFramesPerDrain = 4096
    /// Room for what arrives while nobody reads.
    public static let defaultBufferBytes = 16 << 20

    /// The descriptor to watch for reading.
    public let descriptor: SharedDescriptor
    private var buffer = [UInt8](repeating: 0, count: PacketCapture.maximumFrameBytes)
    private var stamps = StampConverter()

    /// Opens a capture in the calling thread's network namespace.
    ///
    /// - Parameters:
    ///   - filter: a classic BPF program; frames for which it returns 0 are not queued.
    ///   - bufferBytes: how much may wait to be read, by the kernel's own accounts; the kernel
    ///     allows twice as much.
    /// - Throws: ``SystemError`` without CAP_NET_RAW.
    public init(
        filter: [FilterInstruction], bufferBytes: Int = PacketCapture.defaultBufferBytes
    ) throws(SystemError) {
        // Opened for no protocol and bound for all after the filter is in place: nothing unfiltered
        // gets in.
        let socket = OwnedDescriptor(
            try systemCall("open a packet socket") {
                Glibc.socket(
                    AF_PACKET,
                    Int32(SOCK_RAW.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK, 0)
            })
        let number = socket.rawValue
        try Self.attach(filter, to: number)
        var on: CInt = 1
        // A frame that a bridge floods leaves by every port; it is seen once, where it enters.
        // Kernels before 4.20 do not know the option, and drain() sorts those out.
        setsockopt(number, CLINUX_SOL_PACKET, CLINUX_PACKET_IGNORE_OUTGOING, &on, 4)
        try systemCall("stamp frames") {
            setsockopt(number, SOL_SOCKET, CLINUX_SO_TIMESTAMPNS, &on, 4)
        }
        var size = CInt(bufferBytes)
        // In a user namespace it is as large as the machine lets everybody's be.
        if setsockopt(number, SOL_SOCKET, CLINUX_SO_RCVBUFFORCE, &size, 4) != 0 {
            setsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, 4)
        }
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = UInt16(CLINUX_ETH_P_ALL).bigEndian
        try systemCall("bind a packet socket") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
                }
            }
        }
        descriptor = SharedDescriptor(socket)
    }

    private static func attach(
        _ filter: [FilterInstruction], to number: CInt
    ) throws(SystemError) {
        var instructions = filter.map {
            sock_filter(code: $0.code, jt: $0.jumpTrue, jf: $0.jumpFalse, k: $0.operand)
        }
        try instructions.withUnsafeMutableBufferPointer { instructions throws(SystemError) in
            var program = sock_fprog(
                len: UInt16(instructions.count), filter: instructions.baseAddress)
            try systemCall("attach a packet filter") {
                setsockopt(
                    number, SOL_SOCKET, CLINUX_SO_ATTACH_FILTER, &program,
                    socklen_t(MemoryLayout<sock_fprog>.size))
            }
        }
    }

    /// Puts another filter in place of the present one: from now on it decides what is queued.
    ///
    /// - Throws: ``SystemError`` for a program that the kernel refuses.
    public func setFilter(_ filter: [FilterInstruction]) throws(SystemError) {
        try Self.attach(filter, to: descriptor.rawValue)
    }

    /// How many frames there was no room for since the last call (PACKET_STATISTICS).
    ///
    /// - Throws: ``SystemError``, which is a fault of the program.
    public func drops() throws(SystemError) -> Int {
        let number = descriptor.rawValue
        let count = clinux_packet_drops(number)
        guard count >= 0 else {
            throw SystemError("read a packet socket's statistics", Errno(rawValue: errno))
        }
        return Int(count)
    }

    /// The frames that have arrived since the last call, at most ``maximumFramesPerDrain``; those
    /// the namespace sent itself are left out.
    ///
    /// - Parameter limit: how many at most, where that is less.
    /// - Throws: ``SystemError`` when the device side broke.
    public func drain(
        atMost limit: Int = PacketCapture.maximumFramesPerDrain
    ) throws(SystemError) -> [Frame] {
        stamps.look(offset: MonotonicClock.realtimeOffset(), now: MonotonicClock.now)
        var frames: [Frame] = []
        while frames.count < min(limit, Self.maximumFramesPerDrain) {
            var receipt = clinux_receipt()
            let number = descriptor.rawValue
            let length = try systemCallUnlessBlocked("read a packet socket") {
                clinux_receive_stamped(number, &buffer, buffer.count, 0, &receipt)
            }
            guard let length else { return frames }
            guard receipt.packet_type != CLINUX_PACKET_OUTGOING else { continue }
            let (time, uncertainty) = stamps.time(
                of: receipt.realtime_nanoseconds, now: MonotonicClock.now)
            frames.append(
                Frame(
                    time: time, uncertainty: uncertainty,
                    interfaceIndex: receipt.interface_index, bytes: Array(buffer.prefix(length))))
        }
        return frames
    }
}

/// One instruction of a classic BPF program (linux/filter.h).
public struct FilterInstruction: Equatable, Sendable {
    public var code: UInt16
    public var jumpTrue: UInt8
    public var jumpFalse: UInt8
    public var operand: UInt32

    public init(_ code: UInt16, _ jumpTrue: UInt8, _ jumpFalse: UInt8, _ operand: UInt32) {
        self.code = code
        self.jumpTrue = jumpTrue
        self.jumpFalse = jumpFalse
        self.operand = operand
    }
}
