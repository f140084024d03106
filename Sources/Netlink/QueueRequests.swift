import CLibNL
import CLinux
import Glibc
import NetworkTypes

/// What the kernel's network emulator does to the frames that leave a device (sch_netem,
/// tc-netem(8)). Shares are 0 to 1.
public struct NetemQueue: Hashable, Sendable {
    public var limitPackets: Int
    public var delay: Duration = .zero
    public var jitter: Duration = .zero
    /// How the jitter is distributed: values at equally likely places, in 8192ths of it
    /// (NETEM_DIST_SCALE); empty: uniform.
    public var distribution: [Int16] = []
    public var loss: Loss?
    public var duplicate = 0.0
    public var corrupt = 0.0
    public var reorder: Reorder?

    public init(limitPackets: Int = 1000) { self.limitPackets = limitPackets }

    /// Which frames are lost.
    public enum Loss: Hashable, Sendable {
        case random(Double)
        /// `loss gemodel P R 1-H 1-K`.
        case gilbertElliott(p: Double, r: Double, oneMinusH: Double, oneMinusK: Double)
    }

    /// `reorder SHARE gap N`.
    public struct Reorder: Hashable, Sendable {
        public var share: Double
        public var gap: Int
        public init(share: Double, gap: Int) {
            self.share = share
            self.gap = gap
        }
    }
}

/// A token bucket (sch_tbf, tc-tbf(8)).
public struct TokenBucketQueue: Hashable, Sendable {
    public var bytesPerSecond: Int
    public var burstBytes: Int
    /// How much may wait for tokens.
    public var limitBytes: Int

    public init(bytesPerSecond: Int, burstBytes: Int, limitBytes: Int) {
        self.bytesPerSecond = bytesPerSecond
        self.burstBytes = burstBytes
        self.limitBytes = limitBytes
    }
}

extension Request {
    /// Puts an emulator before a device.
    ///
    /// Like `tc qdisc add dev DEV root handle 1: netem delay 10ms loss 1%`. The kernel refuses it
    /// where it has no sch_netem (ENOENT).
    public static func add(
        _ queue: NetemQueue, to device: Device
    ) throws(NetlinkError) -> Request {
        try addQueue(
            "netem", "tc qdisc add dev \(device) root handle 1: netem", to: device,
            parent: Queue.root, handle: Queue.emulator
        ) { message throws(LibNLError) in
            // struct tc_netem_qopt; the delays follow in nanoseconds, which need no clock's ticks.
            var random: UInt32 = 0
            if case .random(let share)? = queue.loss { random = share.ofWhole }
            try message.append(
                [
                    0, UInt32(clamping: queue.limitPackets), random,
                    UInt32(clamping: queue.reorder?.gap ?? 0), queue.duplicate.ofWhole, 0,
                ].octets)
            try message.put(Queue.latency64, queue.delay.wholeNanoseconds.octets)
            try message.put(Queue.jitter64, queue.jitter.wholeNanoseconds.octets)
            if !queue.distribution.isEmpty {
                try message.put(Queue.delayDistribution, queue.distribution.octets)
            }
            if let reorder = queue.reorder {
                try message.put(Queue.reorder, [reorder.share.ofWhole, 0].octets)
            }
            if queue.corrupt > 0 {
                try message.put(Queue.corrupt, [queue.corrupt.ofWhole, 0].octets)
            }
            if case .gilbertElliott(let p, let r, let oneMinusH, let oneMinusK)? = queue.loss {
                try message.nest(Queue.loss) { () throws(LibNLError) in
                    // struct tc_netem_gemodel: h itself, not what is written, and 1-k as written.
                    try message.put(
                        Queue.lossGilbertElliott,
                        [p.ofWhole, r.ofWhole, (1 - oneMinusH).ofWhole, oneMinusK.ofWhole].octets)
                }
            }
        }
    }

    /// Puts a token bucket behind the emulator of a device, which must have one.
    ///
    /// Like `tc qdisc add dev DEV parent 1:1 handle 10: tbf rate 1mbit burst 5kb limit 50kb`.
    public static func add(
        _ queue: TokenBucketQueue, behindEmulatorOf device: Device
    ) throws(NetlinkError) -> Request {
        try addQueue(
            "tbf", "tc qdisc add dev \(device) parent 1:1 handle 10: tbf", to: device,
            parent: Queue.emulator | 1, handle: Queue.bucket
        ) { message throws(LibNLError) in
            // struct tc_tbf_qopt: two struct tc_ratespec of 12 octets, then limit, buffer and mtu.
            // With a link layer the kernel needs no table of rates, and with TCA_TBF_BURST no
            // buffer in ticks.
            let ethernet: UInt8 = 1
            let rate: [UInt8] =
                [0, ethernet, 0, 0, 0, 0, 0, 0] + [UInt32(clamping: queue.bytesPerSecond)].octets
            try message.put(
                Queue.bucketParameters,
                rate + [UInt8](repeating: 0, count: 12)
                    + [UInt32(clamping: queue.limitBytes), 0, 0].octets)
            if queue.bytesPerSecond > Int(UInt32.max) {
                try message.put(Queue.bucketRate64, Int64(queue.bytesPerSecond).octets)
            }
            try message.put(Queue.bucketBurst, UInt32(clamping: queue.burstBytes))
        }
    }

    /// Takes away what is before a device; the kernel's default takes its place.
    ///
    /// Like `tc qdisc delete dev DEV root`. Refused (ENOENT) where there is but the default.
    public static func deleteQueue(of device: Device) throws(NetlinkError) -> Request {
        try Request("tc qdisc delete dev \(device) root") { () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(RTM_DELQDISC))
            try message.append(header(device, parent: Queue.root, handle: 0))
            return message
        }
    }

    private static func header(_ device: Device, parent: UInt32, handle: UInt32) -> tcmsg {
        var header = tcmsg()
        header.tcm_family = UInt8(AF_UNSPEC)
        header.tcm_ifindex = device.index
        header.tcm_parent = parent
        header.tcm_handle = handle
        return header
    }

    private static func addQueue(
        _ kind: String, _ operation: String, to device: Device, parent: UInt32, handle: UInt32,
        options: (borrowing LibNLMessage) throws(LibNLError) -> Void
    ) throws(NetlinkError) -> Request {
        try Request(operation) { () throws(LibNLError) in
            let message = try LibNLMessage(
                type: CInt(RTM_NEWQDISC), flags: NLM_F_CREATE | NLM_F_EXCL)
            try message.append(header(device, parent: parent, handle: handle))
            try message.put(Int(TCA_KIND), kind)
            try message.nest(Int(TCA_OPTIONS)) { () throws(LibNLError) in try options(message) }
            return message
        }
    }
}

/// Numbers of linux/pkt_sched.h, which no header of libnl brings.
private enum Queue {
    static let root: UInt32 = 0xffff_ffff
    static let emulator: UInt32 = 0x1_0000
    static let bucket: UInt32 = 0x10_0000
    // TCA_NETEM_*
    static let delayDistribution = 2
    static let reorder = 3
    static let corrupt = 4
    static let loss = 5
    static let latency64 = 10
    static let jitter64 = 11
    // NETEM_LOSS_GE
    static let lossGilbertElliott = 2
    // TCA_TBF_*
    static let bucketParameters = 1
    static let bucketRate64 = 4
    static let bucketBurst = 6
}

extension Double {
    /// A share of the whole that 32 bits can say.
    fileprivate var ofWhole: UInt32 { UInt32(clamping: Int64((self * 4_294_967_295).rounded())) }
}

extension FixedWidthInteger {
    /// In the machine's order.
    fileprivate var octets: [UInt8] { withUnsafeBytes(of: self) { [UInt8]($0) } }
}

extension [UInt32] {
    fileprivate var octets: [UInt8] { flatMap(\.octets) }
}

extension [Int16] {
    fileprivate var octets: [UInt8] { flatMap(\.octets) }
}
