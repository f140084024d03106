import LinuxSystem
import Testing

@testable import LabKit

/// Runs a classic BPF program over a frame, as the kernel does
/// (Documentation/networking/filter.rst), for the instructions that the capture uses.
///
/// - Parameter device: the one that the frame entered by.
private func accepts(
    _ frame: [UInt8], _ program: [FilterInstruction], device: UInt32 = 1
) throws -> Bool {
    struct BadProgram: Error { var instruction: FilterInstruction }
    var accumulator: UInt32 = 0
    var counter = 0
    while counter < program.count {
        let instruction = program[counter]
        counter += 1
        let offset = Int(instruction.operand)
        switch instruction.code {
        case 0x20 where instruction.operand == 0xffff_f008:  // ld #ifidx
            accumulator = device
        case 0x28:  // ldh [k]; a load past the end rejects the frame
            guard offset + 2 <= frame.count else { return false }
            accumulator = UInt32(frame[offset]) << 8 | UInt32(frame[offset + 1])
        case 0x30:  // ldb [k]
            guard offset < frame.count else { return false }
            accumulator = UInt32(frame[offset])
        case 0x15:  // jeq #k, jt, jf
            let isEqual = accumulator == instruction.operand
            counter += Int(isEqual ? instruction.jumpTrue : instruction.jumpFalse)
        case 0x06:  // ret #k
            return instruction.operand != 0
        default: throw BadProgram(instruction: instruction)
        }
    }
    throw BadProgram(instruction: program[program.count - 1])
}

/// The octets of a text of hexadecimal digits.
private func octets(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.count, by: 2).compactMap { start in
        let begin = hex.index(hex.startIndex, offsetBy: start)
        return UInt8(hex[begin..<hex.index(begin, offsetBy: 2)], radix: 16)
    }
}

/// A frame with its name.
struct Frame: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    init(_ name: String, _ hex: String) {
        self.name = name
        bytes = octets(hex)
    }
    var testDescription: String { name }
}

@Suite("the capture's filter: the timeline's frames pass, everything else stays in the kernel")
struct CaptureFilterTests {
    /// Frames of keepalived 2.2.7 as they were on the wire.
    static let wanted = [
        Frame(
            "VRRPv3 over IPv4",
            """
            01005e000012020000000001080045c0002000010000ff70c68f0a0a0a01e00000123133640100646\
            1b90a0a0a0a
            """),
        Frame(
            "VRRPv2 behind an authentication header",
            """
            01005e000012020000000001080045c0004000010000ff33c6ac0a0a0a01e0000012700400000a0a0\
            a010000000187706c6e45a6d45a0d6a101421336401020164b60a0a0a0a0000000000000000
            """),
        Frame(
            "VRRPv3 over IPv6",
            """
            33330000001202000000000186dd6c075a3c001870fffe80000000000000000000fffe000001ff020\
            000000000000000000000000012313364010064 6eb7fe800000000000000000000000000010
            """.filter { $0 != " " }),
        Frame(
            "a gratuitous ARP request",
            "ffffffffffff020000000001080600010800060400010200000000010a0a0a0affffffffffff0a0a0a0a"),
        Frame(
            "an ARP reply",
            "020000000002020000000001080600010800060400020200000000010a0a0a010200000000020a0a0a02"),
        Frame(
            "an unsolicited neighbour advertisement",
            """
            33330000000102000000000186dd6000000000203afffe800000000000000000000000000010ff020\
            0000000000000000000000000018800577d20000000fe8000000000000000000000000000100201020\
            000000001
            """),
    ]

    static let unwanted = [
        Frame(
            "an IGMP join",
            """
            01005e000016020000000001080046c00028000040000102efee0a0a0a01e0000016940400002200f\
            9eb0000000104000000e0000012
            """),
        Frame(
            "an MLD report, behind a hop-by-hop header",
            """
            33330000001602000000000186dd6000000000380001fe80000000000000000000fffe000001ff020\
            0000000000000000000000000163a000502000001008f006edd0000000204000000ff020000000000\
            0000000000000000001204000000ff0200000000000000000001ff000001
            """),
        Frame(
            "an ICMP echo request",
            """
            02000000000202000000000108004500001c000100004001669a0a0a0a010a0a0a020800f7fe0000\
            0001
            """),
        Frame(
            "a TCP segment",
            """
            020000000002020000000001080045000028000140004006268a0a0a0a010a0a0a02c00000500000\
            0001000000005002fff000000000
            """),
        Frame(
            "a UDP datagram",
            "02000000000202000000000108004500001c00014000401126850a0a0a010a0a0a02c000003500080000"),
        Frame(
            "an ICMPv6 echo request",
            """
            02000000000202000000000186dd6000000000083a40fd000010000000000000000000000001fd00\
            00100000000000000000000000028000000000010001
            """),
        Frame(
            "a neighbour solicitation",
            """
            3333ff00000202000000000186dd6000000000183afffd000010000000000000000000000001ff02\
            00000000000000000001ff0000028700000000000000fd000010000000000000000000000002
            """),
        Frame("an LLDP frame", "0180c200000e02000000000188cc020704020000000001"),
        Frame("an 802.1Q frame", "ffffffffffff0200000000018100006408060001080006040001"),
        Frame("an IPv4 frame cut off before its protocol", "01005e0000120200000000010800450000"),
        Frame("a frame without a type", "01005e000012020000000001"),
        Frame("nothing", ""),
    ]

    @Test("adverts of every kind, ARP, neighbour advertisements", arguments: wanted)
    func passes(_ frame: Frame) throws {
        #expect(frame.bytes.count >= 42)
        #expect(try accepts(frame.bytes, CaptureFilter.program))
    }

    @Test("everything else", arguments: unwanted)
    func stays(_ frame: Frame) throws {
        #expect(try !accepts(frame.bytes, CaptureFilter.program))
    }

    @Test("every single EtherType, protocol, next header and ICMPv6 type has its one answer")
    func exhaustive() throws {
        var frame = [UInt8](repeating: 0, count: 64)
        for type in UInt16.min...UInt16.max {
            (frame[12], frame[13]) = (UInt8(type >> 8), UInt8(truncatingIfNeeded: type))
            guard type != 0x0800, type != 0x86dd else { continue }
            #expect(try accepts(frame, CaptureFilter.program) == (type == 0x0806), "\(type)")
        }
        for number in UInt8.min...UInt8.max {
            (frame[12], frame[13], frame[23], frame[20]) = (0x08, 0x00, number, 0)
            let isVRRP = number == 112 || number == 51
            #expect(try accepts(frame, CaptureFilter.program) == isVRRP, "protocol \(number)")
            (frame[12], frame[13], frame[23], frame[20]) = (0x86, 0xdd, 0, number)
            #expect(try accepts(frame, CaptureFilter.program) == (number == 112), "\(number)")
            (frame[20], frame[54]) = (58, number)
            #expect(try accepts(frame, CaptureFilter.program) == (number == 136), "\(number)")
        }
    }

    @Test("every jump lands inside the program, which the kernel would refuse otherwise")
    func jumps() {
        let program = CaptureFilter.program
        for (index, instruction) in program.enumerated() where instruction.code == 0x15 {
            for jump in [instruction.jumpTrue, instruction.jumpFalse] {
                #expect(index + 1 + Int(jump) < program.count)
            }
        }
        #expect(program.last?.code == 0x06)
    }

    @Test("what imposters send is left to captures of their own, and these take nothing else")
    func devices() throws {
        let advert = Self.wanted[0].bytes
        let dull = [UInt8](repeating: 0, count: 60)
        let besides = CaptureFilter.besides([7, 9], CaptureFilter.program)
        let only = CaptureFilter.only(7, CaptureFilter.program)
        for device: UInt32 in [1, 7, 8, 9] {
            #expect(
                try accepts(advert, besides, device: device) == ![7, 9].contains(device),
                "device \(device)")
            #expect(try accepts(advert, only, device: device) == (device == 7))
            #expect(try !accepts(dull, besides, device: device))
            #expect(try !accepts(dull, only, device: device))
            #expect(
                try accepts(
                    dull, CaptureFilter.only(7, CaptureFilter.everything), device: device)
                    == (device == 7))
        }
        #expect(CaptureFilter.besides([], CaptureFilter.program) == CaptureFilter.program)
    }
}
