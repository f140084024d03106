import LinuxSystem

/// The classic BPF program of the fabric's capture: ARP, VRRP (also behind an AH header) and
/// unsolicited or solicited neighbour advertisements; everything else stays in the kernel.
enum CaptureFilter {
    // Opcodes of linux/bpf_common.h.
    private static let loadHalf: UInt16 = 0x28
    private static let loadByte: UInt16 = 0x30
    private static let jumpEqual: UInt16 = 0x15
    private static let giveBack: UInt16 = 0x06

    /// What of a frame is kept: more than any advertisement, ARP or ND message has.
    private static let keptBytes: UInt32 = 2048

    /// Lets every frame in, whole.
    static let everything = [
        FilterInstruction(giveBack, 0, 0, UInt32(PacketCapture.maximumFrameBytes))
    ]

    // Linux's own load of what is no part of the frame: its device (SKF_AD_OFF + SKF_AD_IFINDEX of
    // linux/filter.h).
    private static let loadWord: UInt16 = 0x20
    private static let ofDevice = UInt32(bitPattern: -0x1000 + 8)

    /// A program that leaves what enters by these devices, and does with all other frames as
    /// another one.
    static func besides(
        _ devices: [Int32], _ program: [FilterInstruction]
    ) -> [FilterInstruction] {
        guard !devices.isEmpty else { return program }
        return [FilterInstruction(loadWord, 0, 0, ofDevice)]
            + devices.flatMap {
                [
                    FilterInstruction(jumpEqual, 0, 1, UInt32(bitPattern: $0)),
                    FilterInstruction(giveBack, 0, 0, 0),
                ]
            } + program
    }

    /// A program that does as another one with what enters by that device, and leaves all else.
    static func only(_ device: Int32, _ program: [FilterInstruction]) -> [FilterInstruction] {
        [
            FilterInstruction(loadWord, 0, 0, ofDevice),
            FilterInstruction(jumpEqual, 1, 0, UInt32(bitPattern: device)),
            FilterInstruction(giveBack, 0, 0, 0),
        ] + program
    }

    /// The program. Jumps count from the instruction after the jump.
    static let program: [FilterInstruction] = [
        FilterInstruction(loadHalf, 0, 0, 12),  // 0: the EtherType
        FilterInstruction(jumpEqual, 10, 0, 0x0806),  // 1: ARP: take
        FilterInstruction(jumpEqual, 1, 0, 0x0800),  // 2: IPv4: go on at 4
        FilterInstruction(jumpEqual, 3, 9, 0x86dd),  // 3: IPv6: go on at 7; others: leave
        FilterInstruction(loadByte, 0, 0, 23),  // 4: IPv4's protocol
        FilterInstruction(jumpEqual, 6, 0, 112),  // 5: VRRP: take
        FilterInstruction(jumpEqual, 5, 6, 51),  // 6: AH: take; others: leave
        FilterInstruction(loadByte, 0, 0, 20),  // 7: IPv6's next header
        FilterInstruction(jumpEqual, 3, 0, 112),  // 8: VRRP: take
        FilterInstruction(jumpEqual, 0, 3, 58),  // 9: ICMPv6: go on at 10; others: leave
        FilterInstruction(loadByte, 0, 0, 54),  // 10: its type
        FilterInstruction(jumpEqual, 0, 1, 136),  // 11: neighbour advertisement: take
        FilterInstruction(giveBack, 0, 0, keptBytes),  // 12: take
        FilterInstruction(giveBack, 0, 0, 0),  // 13: leave
    ]
}
