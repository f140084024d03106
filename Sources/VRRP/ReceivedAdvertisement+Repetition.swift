public import NetworkTypes

// A master says the same again and again: who keeps what was accepted last need neither parse nor
// check its repetition.

extension ReceivedAdvertisement {
    /// Whether an IPv4 packet says what this one says: nothing is different but the IP
    /// Identification, and with it the header's checksum, which the kernel has verified.
    ///
    /// Never so with an authentication header, whose sequence number has to grow.
    ///
    /// - Parameters:
    ///   - buffer: begins with the packet.
    ///   - count: the packet's length.
    public func isRepeated(byIPv4Packet buffer: [UInt8], lengthBytes count: Int) -> Bool {
        guard header != nil, authenticationHeader == nil else { return false }
        return isRepeated(by: buffer, count) { (4..<6).contains($0) || (10..<12).contains($0) }
    }

    /// Whether the payload of an IPv6 packet, and what was told beside it, says what this one did.
    ///
    /// - Parameters:
    ///   - buffer: begins with the payload.
    ///   - count: the payload's length.
    public func isRepeated(
        byIPv6Message buffer: [UInt8], lengthBytes count: Int, source: IPv6Address,
        destination: IPv6Address, hopLimit: UInt8?
    ) -> Bool {
        self.source == .v6(source) && self.destination == .v6(destination)
            && timeToLive == hopLimit && isRepeated(by: buffer, count) { _ in false }
    }

    private func isRepeated(
        by buffer: [UInt8], _ count: Int, exceptFor mayDiffer: (Int) -> Bool
    ) -> Bool {
        guard octets.count == count else { return false }
        for index in 0..<count where octets[index] != buffer[index] && !mayDiffer(index) {
            return false
        }
        return true
    }
}
