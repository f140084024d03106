/// The MD5 message digest (RFC 1321). Broken as a digest of documents; here it only serves
/// HMAC-MD5-96, which keepalived's `auth_type AH` is made of.
struct MD5 {
    /// Octets of a digest.
    static let digestBytes = 16
    /// Octets that are taken at a time.
    static let blockBytes = 64

    private var state: (UInt32, UInt32, UInt32, UInt32) = (
        0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476
    )
    /// The block that is being filled, as the sixteen words that the steps take it in; what is not
    /// filled yet is zero. In place and not in an array: this runs for every packet.
    private var block = Block(repeating: 0)
    private var messageBytes: UInt64 = 0

    private typealias Block = InlineArray<16, UInt32>

    /// The digest of nothing so far.
    init() {}

    /// The digest of those octets.
    static func digest(of octets: some Sequence<UInt8>) -> [UInt8] {
        var md5 = MD5()
        md5.add(octets)
        return md5.digest()
    }

    /// Adds octets to the message.
    mutating func add(_ octets: some Sequence<UInt8>) {
        for octet in octets { add(octet) }
    }

    /// Words are filled from their low octet (§2).
    private mutating func add(_ octet: UInt8) {
        let index = Int(messageBytes % UInt64(Self.blockBytes))
        block[index / 4] |= UInt32(octet) << (8 * (index % 4))
        messageBytes += 1
        if index == Self.blockBytes - 1 { takeBlock() }
    }

    /// The sixteen octets of the digest (§3.1 to §3.5): a one bit, zeros up to eight octets before
    /// a block's end, and the message's length in bits.
    consuming func digest() -> [UInt8] {
        let lengthBits = messageBytes &* 8
        add(0x80)
        // Zeros are there already; without room for the length it goes into a block of its own.
        if messageBytes % UInt64(Self.blockBytes) > UInt64(Self.blockBytes - 8) { takeBlock() }
        block[14] = UInt32(truncatingIfNeeded: lengthBits)
        block[15] = UInt32(truncatingIfNeeded: lengthBits >> 32)
        takeBlock()
        var octets: [UInt8] = []
        octets.reserveCapacity(Self.digestBytes)
        for word in [state.0, state.1, state.2, state.3] {
            octets.append(number32: word.byteSwapped)
        }
        return octets
    }

    /// §3.4: sixty-four steps, in four rounds that differ in their function and their order of
    /// words. Each round is a loop of its own, so that no step has to ask which one it is in.
    private mutating func takeBlock() {
        var registers = state
        for step in 0..<16 {
            Self.advance(&registers, step, block[step]) { $0 & $1 | ~$0 & $2 }
        }
        for step in 16..<32 {
            Self.advance(&registers, step, block[(5 &* step &+ 1) & 15]) { $0 & $2 | $1 & ~$2 }
        }
        for step in 32..<48 {
            Self.advance(&registers, step, block[(3 &* step &+ 5) & 15]) { $0 ^ $1 ^ $2 }
        }
        for step in 48..<64 {
            Self.advance(&registers, step, block[(7 &* step) & 15]) { $1 ^ ($0 | ~$2) }
        }
        block = Block(repeating: 0)
        state = (
            state.0 &+ registers.0, state.1 &+ registers.1, state.2 &+ registers.2,
            state.3 &+ registers.3
        )
    }

    @inline(__always)
    private static func advance(
        _ registers: inout (UInt32, UInt32, UInt32, UInt32), _ step: Int, _ word: UInt32,
        _ mix: (UInt32, UInt32, UInt32) -> UInt32
    ) {
        let (a, b, c, d) = registers
        let sum = a &+ mix(b, c, d) &+ word &+ sines[step]
        let shift = shifts[step / 16 * 4 + step % 4]
        registers = (d, b &+ (sum &<< shift | sum &>> (32 &- shift)), b, c)
    }

    private static let shifts: Block = [
        7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21,
    ]

    /// §3.4: the integer parts of 2³² × |sin(i)|, i from 1 to 64 in radians.
    private static let sines: InlineArray<64, UInt32> = [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a,
        0xa830_4613, 0xfd46_9501, 0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be,
        0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821, 0xf61e_2562, 0xc040_b340,
        0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8,
        0x676f_02d9, 0x8d2a_4c8a, 0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c,
        0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70, 0x289b_7ec6, 0xeaa1_27fa,
        0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92,
        0xffef_f47d, 0x8584_5dd1, 0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1,
        0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ]
}

/// A keyed digest (RFC 2104) of MD5.
struct HMACMD5 {
    private var inner = MD5()
    private let outerPad: [UInt8]

    /// The code of nothing so far, under that key.
    init(key: [UInt8]) {
        let short = key.count > MD5.blockBytes ? MD5.digest(of: key) : key
        let padded = short + [UInt8](repeating: 0, count: MD5.blockBytes - short.count)
        inner.add(padded.lazy.map { $0 ^ 0x36 })
        outerPad = padded.map { $0 ^ 0x5c }
    }

    /// Adds octets to the message.
    mutating func add(_ octets: some Sequence<UInt8>) { inner.add(octets) }

    /// The sixteen octets of the code.
    consuming func code() -> [UInt8] { MD5.digest(of: outerPad + inner.digest()) }
}
