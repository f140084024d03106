/// The clear-text password of VRRPv2's authentication type 1 (RFC 2338 §5.3.6; RFC 3768 withdrew
/// it, keepalived kept it): eight octets in every advertisement.
public struct AuthenticationPassword: Hashable, Sendable {
    /// How many octets of a password go on the wire.
    public static let lengthBytes = 8

    /// The eight octets, a shorter password padded with zeros.
    public let octets: [UInt8]

    /// The password as it goes on the wire: the first eight octets of the text's UTF-8, as
    /// keepalived truncates them. Two texts that begin alike are therefore one password.
    public init(truncating text: String) { self.init(truncating: Array(text.utf8)) }

    /// The password as it goes on the wire: the first eight of those octets.
    public init(truncating octets: [UInt8]) {
        let kept = Array(octets.prefix(Self.lengthBytes))
        self.octets = kept + [UInt8](repeating: 0, count: Self.lengthBytes - kept.count)
    }

    /// Whether those octets are the password's; every one is looked at, so that the time taken
    /// tells nothing about a guess.
    func equals(_ octets: some Collection<UInt8>) -> Bool {
        octets.count == self.octets.count
            && zip(octets, self.octets).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
