import NetworkTypes

/// MAC addresses that follow from names, so that a lab has the same ones each time it is built.
///
/// They are locally administered and unicast: the first octet is 02, the others are a hash.
struct MACDerivation {
    private let lab: String
    private var taken: Set<MACAddress>

    /// - Parameters:
    ///   - lab: The lab's name, which is part of every hash.
    ///   - taken: Addresses that are given already.
    init(lab: String, taken: some Sequence<MACAddress>) {
        self.lab = lab
        self.taken = Set(taken)
    }

    /// The address of what is known by these names in the lab.
    ///
    /// Among a thousand interfaces two hashes agree with a chance of one in two million; the later
    /// one is hashed again then, so that addresses are unique for certain.
    mutating func next(for names: [String]) -> MACAddress {
        for attempt in 0... {
            let parts = [lab] + names + (attempt == 0 ? [] : ["\(attempt)"])
            let hash = FNV1a.hash(parts.joined(separator: "\0"))
            // 64 bits folded to 40.
            let low = (hash ^ hash >> 40) & 0xff_ffff_ffff
            let mac = MACAddress(rawValue: 0x0200_0000_0000 | low)
            if taken.insert(mac).inserted { return mac }
        }
        preconditionFailure("a lab has fewer interfaces than there are MAC addresses")
    }
}

/// The 64-bit FNV-1a hash: the same for the same text on every machine and in every run, as
/// `Hasher` is not.
enum FNV1a {
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
