import LabModel
import NetworkTypes
import Testing

@Suite("Captures in pcapng")
struct PcapngWriterTests {
    /// A block of a file: its type, and what is between the two lengths.
    private struct Block {
        var type: UInt32
        var body: [UInt8]

        /// The options that follow the first `fixed` octets, and whether their end is marked.
        func options(after fixed: Int) -> (values: [(code: UInt16, value: [UInt8])], isEnded: Bool)
        {
            var values: [(UInt16, [UInt8])] = []
            var rest = body.dropFirst(fixed)
            while rest.count >= 4 {
                let code = UInt16(number(rest, 2))
                let length = Int(number(rest.dropFirst(2), 2))
                if code == 0 { return (values, rest.count == 4 && length == 0) }
                values.append((code, Array(rest.dropFirst(4).prefix(length))))
                rest = rest.dropFirst(4 + (length + 3) & ~3)
            }
            return (values, false)
        }
    }

    private static func number(_ bytes: some Collection<UInt8>, _ count: Int) -> UInt64 {
        bytes.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The blocks of a file, every length checked.
    private func blocks(_ file: [UInt8]) throws -> [Block] {
        var blocks: [Block] = []
        var rest = file[...]
        while !rest.isEmpty {
            try #require(rest.count >= 12)
            let length = Int(Self.number(rest.dropFirst(4), 4))
            try #require(length % 4 == 0 && length >= 12 && length <= rest.count)
            #expect(Self.number(rest.dropFirst(length - 4), 4) == UInt64(length))
            blocks.append(
                Block(
                    type: UInt32(Self.number(rest, 4)),
                    body: Array(rest.dropFirst(8).prefix(length - 12))))
            rest = rest.dropFirst(length)
        }
        return blocks
    }

    private func text(_ octets: [UInt8]) -> String { String(decoding: octets, as: UTF8.self) }

    @Test("a section, and an interface for each network with its name and nanoseconds")
    func header() throws {
        let writer = PcapngWriter(lab: "x", networks: ["lan", "wan"], wallClockOffset: 0)
        let blocks = try blocks(writer.bytes)
        #expect(blocks.map(\.type) == [0x0a0d_0d0a, 1, 1])
        #expect(Array(blocks[0].body.prefix(8)) == [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0])
        #expect(Array(blocks[0].body[8..<16]) == Array(repeating: 0xff, count: 8))
        for (block, name) in zip(blocks.dropFirst(), ["lan", "wan"]) {
            #expect(Array(block.body.prefix(8)) == [1, 0, 0, 0, 0, 0, 0, 0])
            let options = block.options(after: 8)
            #expect(options.isEnded)
            #expect(options.values.map(\.code) == [2, 3, 9])
            #expect(text(options.values[0].value) == name)
            #expect(text(options.values[1].value) == "network \(name) of lab x")
            #expect(options.values[2].value == [9])
        }
    }

    @Test("a packet with its stamp on the wall clock, padded to four octets", arguments: 0...5)
    func packet(_ length: Int) throws {
        let wall: Int64 = 1_763_755_693_123_456_789
        var writer = PcapngWriter(
            lab: "x", networks: ["lan", "wan"], wallClockOffset: wall - at(1).nanoseconds)
        _ = writer.take()
        let frame = (0..<UInt8(length)).map { $0 + 1 }
        writer.packet(frame, network: 1, at: at(1))
        let block = try #require(try blocks(writer.bytes).first)
        #expect(block.type == 6)
        #expect(Self.number(block.body, 4) == 1)
        let stamp =
            Self.number(block.body.dropFirst(4), 4) << 32 | Self.number(block.body.dropFirst(8), 4)
        #expect(stamp == UInt64(wall))
        #expect(Self.number(block.body.dropFirst(12), 4) == UInt64(length))
        #expect(Self.number(block.body.dropFirst(16), 4) == UInt64(length))
        #expect(Array(block.body.dropFirst(20).prefix(length)) == frame)
        #expect(block.body.count == 20 + (length + 3) / 4 * 4)
    }

    @Test("what happened before a packet is said on it, with how long before")
    func notes() throws {
        var writer = PcapngWriter(lab: "x", networks: ["lan"], wallClockOffset: 0)
        _ = writer.take()
        writer.note("kill master", at: at(1))
        writer.note("master: node killed", at: at(4))
        #expect(writer.bytes.isEmpty)
        writer.packet([1, 2, 3, 4], network: 0, at: at(4), comment: "its own")
        writer.packet([1], network: 0, at: at(5))
        let blocks = try blocks(writer.bytes)
        let options = blocks[0].options(after: 24)
        #expect(options.isEnded)
        #expect(options.values.map(\.code) == [1, 1, 1])
        #expect(
            options.values.map { text($0.value) } == [
                "kill master, 3 ms before", "master: node killed", "its own",
            ])
        #expect(blocks[1].options(after: 24).values.isEmpty)
    }

    @Test("notes that no packet followed, and packets that are missing, stand at the end")
    func end() throws {
        var writer = PcapngWriter(lab: "x", networks: ["lan"], wallClockOffset: 0)
        _ = writer.take()
        writer.finish()
        #expect(writer.bytes.isEmpty)
        writer.note("link a:eth0 down", at: at(7))
        writer.finish(drops: 300)
        let blocks = try blocks(writer.bytes)
        #expect(blocks.map(\.type) == [6, 5])
        #expect(Self.number(blocks[0].body.dropFirst(12), 4) == 0)
        #expect(text(blocks[0].options(after: 20).values[0].value) == "link a:eth0 down")
        let statistics = blocks[1].options(after: 12)
        #expect(statistics.values.map(\.code) == [5])
        #expect(statistics.values[0].value == [0x2c, 1, 0, 0, 0, 0, 0, 0])
    }

    @Test("packets and probes are no notes; faults, states and addresses are")
    func events() {
        func note(_ kind: TimelineEvent.Kind) -> String? {
            TimelineEvent(time: at(1), stamp: .origin, kind: kind).captureNote
        }
        #expect(note(.control(.kill, Target(node: "m"))) == "m: kill m")
        #expect(note(.fault(.partition([["a"], ["b"]]))) == "partition a | b")
        #expect(
            note(
                .addressAdded(
                    node: "m", interface: "eth0", address: InterfaceAddress("10.0.0.1/32")!))
                == "m: 10.0.0.1/32 added to eth0")
        #expect(note(.packet(node: "m", interface: "eth0", lengthBytes: 60)) == nil)
        #expect(
            note(.probe(ProbeResult(probe: "web", due: at(1), outcome: .failed("no")))) == nil)
    }
}
