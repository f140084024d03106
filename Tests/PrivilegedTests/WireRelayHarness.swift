import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing
import Wire

/// Two stations with a wire-relay between them: `node` and `other` have an eth0 each, whose peers
/// `a` and `b` are in the relay's namespace. There are `c` and `d` besides, whose peers `c-peer`
/// and `d-peer` are there too, for a second link.
final class RelayStage {
    let node: TestNamespace
    let other: TestNamespace
    let fabric: TestNamespace
    private let relay: Program.Started
    private let stream: SharedDescriptor
    private var received: [UInt8] = []
    private var requests = 0
    private var hasEnded = false

    static let nodeMAC = MACAddress(rawValue: 0x0200_0000_0001)
    static let otherMAC = MACAddress(rawValue: 0x0200_0000_0002)

    /// The program under test: `$LABCTL_BIN/wire-relay`, or the debug build's.
    private static var program: String {
        if let folder = getenv("LABCTL_BIN") { return "\(String(cString: folder))/wire-relay" }
        return ".build/debug/wire-relay"
    }

    init() throws {
        let node = try TestNamespace()
        let other = try TestNamespace()
        let fabric = try TestNamespace()
        let eth0 = try name("eth0")
        try node.socket.perform(
            .add(
                VethEnd(name: eth0, address: Self.nodeMAC),
                peer: VethPeer(name: try name("a"), namespace: fabric.reference)))
        try other.socket.perform(
            .add(
                VethEnd(name: eth0, address: Self.otherMAC),
                peer: VethPeer(name: try name("b"), namespace: fabric.reference)))
        for end in ["c", "d"] {
            try fabric.socket.perform(
                .add(
                    VethEnd(name: try name(end)), peer: VethPeer(name: try name("\(end)-peer"))))
        }
        for end in ["a", "b", "c-peer", "d-peer"] {
            try fabric.socket.perform(.set(fabric.device(end), .up))
        }
        try node.socket.perform(.add(address("10.0.0.1/24"), to: node.device("eth0")))
        try other.socket.perform(.add(address("10.0.0.2/24"), to: other.device("eth0")))
        try waitUntil("every cable is up") {
            try node.socket.link(named: eth0)?.isOperational == true
                && other.socket.link(named: eth0)?.isOperational == true
        }
        let (ours, theirs) = try MessageChannel.pair()
        let null = try OwnedDescriptor.null()
        let program = Program(
            path: Self.program, arguments: ["wire-relay", "--control", "3"], environment: [],
            descriptors: [null.rawValue, STDERR_FILENO, STDERR_FILENO, theirs.rawValue])
        relay = try fabric.namespace.run { try program.start() }
        stream = ours
        self.node = node
        self.other = other
        self.fabric = fabric
    }

    deinit {
        guard !hasEnded else { return }
        clinux_pidfd_send_signal(relay.pidDescriptor.rawValue, SIGKILL)
        var status: CInt = 0
        waitpid(relay.pid, &status, 0)
    }

    // MARK: The relay

    /// The link between the two stations.
    func link(in inward: [WireRule] = [], out outward: [WireRule] = []) throws -> WireLink {
        WireLink(
            name: "node:eth0", node: try fabric.device("a").index,
            network: try fabric.device("b").index, inward: inward, outward: outward)
    }

    /// The second link.
    func secondLink() throws -> WireLink {
        WireLink(
            name: "second", node: try fabric.device("c").index,
            network: try fabric.device("d").index)
    }

    /// Has these links in force.
    func set(_ links: [WireLink]) throws {
        requests += 1
        let reply = try ask(.set(links, id: requests))
        try #require(reply.done == true, "\(reply.error ?? "")")
    }

    /// What has become of the frames of the link between the stations.
    func counters() throws -> WireLinkCounters {
        requests += 1
        let links = try #require(try ask(.counters(id: requests)).links)
        return try #require(links.first { $0.name == "node:eth0" })
    }

    /// Sends a request and returns its answer.
    func ask(_ request: WireRequest) throws -> WireReply {
        let line = try JSONValue.encode(request) + [UInt8(ascii: "\n")]
        try FileSystem.writeAll(line[...], to: stream.rawValue, name: "a request")
        let reply = try nextReply()
        #expect(reply.id == request.id)
        return reply
    }

    /// What the relay says next, awaited for 30 s at most.
    func nextReply() throws -> WireReply {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(received[..<end])
                received.removeFirst(end + 1)
                return try JSONValue.decode(from: line)
            }
            var request = pollfd(fd: stream.rawValue, events: Int16(POLLIN), revents: 0)
            try #require(poll(&request, 1, 30_000) > 0, "the relay says nothing")
            let count = recv(stream.rawValue, &buffer, buffer.count, 0)
            try #require(count > 0, "the relay has ended")
            received += buffer.prefix(count)
        }
    }

    /// Closes the stream and waits for the relay's end.
    func close() throws -> Termination {
        stream.close()
        var end: Termination?
        try waitUntil("the relay has ended") {
            end = Termination.reap(relay.pid)?.termination
            return end != nil
        }
        hasEnded = true
        return try #require(end)
    }

    /// The packet sockets of the relay's namespace.
    func packetSockets() throws -> Int {
        try fabric.namespace.run {
            try FileSystem.readText("/proc/thread-self/net/packet").split(separator: "\n").count - 1
        }
    }
}

/// Sends frames by a device and hears those of experiments (EtherType 0x88b5), whatever tags they
/// have, as they are on the cable.
final class RelayStation {
    static let etherType: [UInt8] = [0x88, 0xb5]
    /// Where they say that they come from: a station whose kernel says nothing besides.
    static let source = MACAddress(rawValue: 0x0200_0000_0077)
    private let socket: OwnedDescriptor
    private let sender: FrameSender
    private let index: Int32
    private let slots: UnsafeMutablePointer<clinux_frames_in>
    private var heard: [Frame] = []

    struct Frame {
        var octets: [UInt8]
        /// The kernel's stamp, by the wall clock.
        var nanoseconds: Int64
        /// What the kernel has left undone; offsets do not count the outermost tag.
        var offload: virtio_net_hdr
    }

    init(_ device: String, in namespace: borrowing TestNamespace) throws {
        let index = try namespace.device(device).index
        socket = try namespace.namespace.run {
            OwnedDescriptor(
                try systemCall("hear a device") { clinux_frame_socket(index, 4 << 20) })
        }
        sender = try namespace.namespace.run { try FrameSender() }
        self.index = index
        slots = try #require(clinux_frames_in_create())
    }

    deinit { clinux_frames_in_destroy(slots) }

    func send(_ frame: [UInt8]) throws { try sender.send(frame, by: index) }

    /// Sends a frame that the kernel is to finish.
    func send(_ frame: [UInt8], _ offload: virtio_net_hdr) throws {
        var (frame, offload, outgoing) = (frame, offload, clinux_frames_out())
        let taken = frame.withUnsafeMutableBytes { bytes in
            withUnsafeMutablePointer(to: &offload) { offload in
                clinux_frames_append(&outgoing, offload, bytes.baseAddress, bytes.count)
                return clinux_frames_send(socket.rawValue, &outgoing)
            }
        }
        try #require(taken == 1)
    }

    /// A frame of its own with that number.
    static func frame(_ number: Int, length: Int = 60, tags: [UInt8] = []) -> [UInt8] {
        let header =
            RelayStage.otherMAC.octets + source.octets + tags + etherType
            + [UInt8(number >> 8), UInt8(number & 0xff)]
        return header + (header.count..<length).map { UInt8(($0 &* 31 + number) & 0xff) }
    }

    /// The number in a frame without tags.
    static func number(of frame: Frame) -> Int {
        Int(frame.octets[14]) << 8 | Int(frame.octets[15])
    }

    /// The next frame, awaited for 30 s at most.
    func next() throws -> Frame {
        try waitUntil("a frame has arrived") {
            try receive()
            return !heard.isEmpty
        }
        return heard.removeFirst()
    }

    private func receive() throws {
        let count = clinux_frames_receive(socket.rawValue, slots)
        for slot in 0..<max(count, 0) {
            let frame = clinux_frames_in_at(slots, slot).pointee
            var octets = Array(
                UnsafeBufferPointer(start: frame.bytes, count: Int(frame.length)))
            if frame.has_tag != 0 {
                let words = [frame.tag_protocol, frame.tag_control]
                octets.insert(
                    contentsOf: words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }, at: 12)
            }
            guard Self.isOurs(octets) else { continue }
            heard.append(
                Frame(
                    octets: octets, nanoseconds: frame.realtime_nanoseconds,
                    offload: frame.offload.pointee))
        }
    }

    /// Frames of experiments, and whatever else comes from the station that there is not.
    private static func isOurs(_ octets: [UInt8]) -> Bool {
        if octets.count >= 12, Array(octets[6..<12]) == source.octets { return true }
        var place = 12
        while place + 2 <= octets.count,
            [[0x81, 0x00], [0x88, 0xa8]].contains(Array(octets[place..<place + 2]))
        {
            place += 4
        }
        return octets.count >= place + 2 && Array(octets[place..<place + 2]) == etherType
    }
}
