public import NetworkTypes

/// The few addresses between a lab and its host, of a network that is NATed: two of them, on the
/// cable by which packets get out.
public enum TransitNetwork {
    /// Where they are taken from: what lies between two stages of NAT (RFC 6598).
    public static let space = IPPrefix(containing: .v4(IPv4Address(100, 64, 0, 0)), length: 10)
    /// Of four addresses the middle two are hosts'.
    public static let length = 30
    /// How many places are looked at before there is none.
    static let maximumTries = 4096

    /// The network of a lab: always the same one, unless the host has it for something else.
    ///
    /// - Parameters:
    ///   - lab: the lab's name.
    ///   - taken: the host's networks and routes; its default route does not count.
    ///   - length: of its prefix; left out, it has two hosts.
    /// - Returns: the network; nil where none is found that is free.
    public static func choose(
        for lab: String, besides taken: [IPPrefix], length: Int = length
    ) -> IPPrefix? {
        let count = UInt64(1) << UInt64(length - space.length)
        let start = FNV1a.hash(lab)
        let taken = taken.filter { $0.length > 0 }
        for attempt in 0..<UInt64(maximumTries) {
            let place = (start &+ attempt) % count
            guard let base = space.address(at: place << UInt64(32 - length)) else { continue }
            let candidate = IPPrefix(containing: base, length: length)
            if !taken.contains(where: { $0.overlaps(candidate) }) { return candidate }
        }
        return nil
    }
}
