public import NetworkTypes

/// Writes captured frames in the format of Wireshark (draft-ietf-opsawg-pcapng): one section, an
/// interface for every network, stamps in nanoseconds. What else happened stands as a comment on
/// the next packet.
///
/// It is given packets and notes in order and writes them in that order.
public struct PcapngWriter: Sendable {
    /// What has been written and not been taken.
    public private(set) var bytes: [UInt8] = []
    private let wallClockOffset: Int64
    /// Notes that wait for a packet, oldest first.
    private var notes: [(time: MonotonicInstant, text: String)] = []
    private var lastTime = MonotonicInstant.zero

    // Block types, §4; numbers are written little-endian.
    private static let sectionHeader: UInt32 = 0x0a0d_0d0a
    private static let interfaceDescription: UInt32 = 1
    private static let interfaceStatistics: UInt32 = 5
    private static let enhancedPacket: UInt32 = 6
    private static let byteOrderMagic: UInt32 = 0x1a2b_3c4d
    /// LINKTYPE_ETHERNET.
    private static let ethernet: UInt16 = 1

    /// An option of a block, §3.5.
    private enum Option {
        static let comment: UInt16 = 1
        static let application: UInt16 = 4
        static let interfaceName: UInt16 = 2
        static let interfaceDescription: UInt16 = 3
        static let timestampResolution: UInt16 = 9
        static let interfaceDrops: UInt16 = 5
        static let endOfOptions: UInt16 = 0
    }

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - lab: the lab's name, for descriptions.
    ///   - networks: the names of its networks; packets refer to them by their place.
    ///   - wallClockOffset: nanoseconds to add to an instant to get the time since 1970.
    public init(lab: String, networks: [String], wallClockOffset: Int64) {
        self.wallClockOffset = wallClockOffset
        bytes += Self.block(Self.sectionHeader) { body in
            body.append(little: Self.byteOrderMagic)
            body.append(little: UInt16(1))
            body.append(little: UInt16(0))
            body.append(little: UInt64.max)  // The section's length is not known beforehand.
            body.append(option: Option.application, Array("labctl".utf8))
            body.append(option: Option.endOfOptions, [])
        }
        for network in networks {
            bytes += Self.block(Self.interfaceDescription) { body in
                body.append(little: Self.ethernet)
                body.append(little: UInt16(0))
                body.append(little: UInt32(0))  // No limit to a packet's length.
                body.append(option: Option.interfaceName, Array(network.utf8))
                body.append(
                    option: Option.interfaceDescription,
                    Array("network \(network) of lab \(lab)".utf8))
                body.append(option: Option.timestampResolution, [9])
                body.append(option: Option.endOfOptions, [])
            }
        }
    }

    /// Writes a packet, with the notes that came before it.
    ///
    /// - Parameters:
    ///   - network: the place of its network.
    ///   - comment: what is to be said about the packet itself.
    public mutating func packet(
        _ frame: [UInt8], network: Int, at time: MonotonicInstant, comment: String? = nil
    ) {
        let comments =
            notes.map { note in
                let before = time - note.time
                return before > .zero ? "\(note.text), \(before.text) before" : note.text
            } + [comment].compactMap(\.self)
        notes = []
        lastTime = time
        bytes += Self.block(Self.enhancedPacket) { body in
            body.append(little: UInt32(network))
            body.append(timestamp: time.nanoseconds + wallClockOffset)
            body.append(little: UInt32(frame.count))
            body.append(little: UInt32(frame.count))
            body.append(padded: frame)
            for comment in comments {
                body.append(option: Option.comment, Array(comment.utf8))
            }
            if !comments.isEmpty { body.append(option: Option.endOfOptions, []) }
        }
    }

    /// Keeps a note for the next packet.
    public mutating func note(_ text: String, at time: MonotonicInstant) {
        notes.append((time, text))
    }

    /// Ends the file: notes that no packet followed stand on an empty one.
    ///
    /// - Parameter drops: how many packets are missing.
    public mutating func finish(drops: Int = 0) {
        if let last = notes.last { packet([], network: 0, at: max(last.time, lastTime)) }
        guard drops > 0 else { return }
        bytes += Self.block(Self.interfaceStatistics) { body in
            body.append(little: UInt32(0))
            body.append(timestamp: lastTime.nanoseconds + wallClockOffset)
            var count: [UInt8] = []
            count.append(little: UInt64(drops))
            body.append(option: Option.interfaceDrops, count)
            body.append(option: Option.endOfOptions, [])
        }
    }

    /// Takes away what has been written so far.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private static func block(_ type: UInt32, _ write: (inout [UInt8]) -> Void) -> [UInt8] {
        var body: [UInt8] = []
        write(&body)
        let length = UInt32(body.count + 12)
        var block: [UInt8] = []
        block.reserveCapacity(body.count + 12)
        block.append(little: type)
        block.append(little: length)
        block += body
        block.append(little: length)
        return block
    }
}

extension [UInt8] {
    fileprivate mutating func append(little number: some FixedWidthInteger) {
        for shift in stride(from: 0, to: number.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// The high half comes first.
    fileprivate mutating func append(timestamp nanoseconds: Int64) {
        let stamp = UInt64(bitPattern: nanoseconds)
        append(little: UInt32(stamp >> 32))
        append(little: UInt32(truncatingIfNeeded: stamp))
    }

    fileprivate mutating func append(padded octets: [UInt8]) {
        append(contentsOf: octets)
        append(contentsOf: repeatElement(0, count: (4 - octets.count % 4) % 4))
    }

    fileprivate mutating func append(option code: UInt16, _ value: [UInt8]) {
        let value = value.prefix(Int(UInt16.max))
        append(little: code)
        append(little: UInt16(value.count))
        append(padded: Array(value))
    }
}

extension DeploymentPlan {
    /// The bridge that a frame entered; nil for an event that is no frame.
    public func bridge(of kind: TimelineEvent.Kind) -> InterfaceName? {
        let place: (node: String, interface: String)
        switch kind {
        case .advertisement(let seen): place = (seen.node, seen.interface)
        case .arp(let arp): place = (arp.node, arp.interface)
        case .gratuitousARP(let node, let interface, _, _),
            .unsolicitedNA(let node, let interface, _, _), .packet(let node, let interface, _):
            place = (node, interface)
        case .addressAdded, .addressRemoved, .link, .routeAdded, .routeRemoved, .neighbour,
            .neighbourRemoved, .probe, .control, .fault, .node, .service, .step, .claim,
            .violation, .stall, .lost, .scenario:
            return nil
        }
        return ImposterName.network(of: place.node)
            ?? InterfaceName(place.interface).flatMap { port(of: place.node, interface: $0) }?
            .bridge
    }
}

extension TimelineEvent {
    /// What a capture says of the event beside the packets; nil for packets themselves, for probes,
    /// whose packets are there, and for what follows from others.
    public var captureNote: String? {
        switch kind {
        case .addressAdded, .addressRemoved, .link, .control, .fault, .node, .service, .step,
            .claim, .violation, .stall, .lost:
            (kind.node.map { "\($0): " } ?? "") + EventText.printable(kind.words)
        case .scenario, .routeAdded, .routeRemoved, .neighbour, .neighbourRemoved, .advertisement,
            .gratuitousARP, .arp, .unsolicitedNA, .packet, .probe:
            nil
        }
    }
}
