public import NetworkTypes

/// Tells when somebody loses an address: connections to it that somebody has are at an end then,
/// though nobody may be left to say so.
public struct HolderWatch: Sendable {
    private var holders: [IPAddress: Set<String>]

    /// - Parameter addresses: those that are watched.
    public init(_ addresses: some Sequence<IPAddress>) {
        holders = Dictionary(addresses.map { ($0, []) }, uniquingKeysWith: { one, _ in one })
    }

    /// Takes note of who holds the addresses now.
    ///
    /// - Returns: the addresses that some node has lost since this was last asked, sorted.
    public mutating func losses(_ ownership: Ownership) -> [IPAddress] {
        var lost: [IPAddress] = []
        for (address, before) in holders {
            let now = Set(ownership.holders(of: address))
            guard now != before else { continue }
            holders[address] = now
            if !before.isSubset(of: now) { lost.append(address) }
        }
        return lost.sorted()
    }
}
