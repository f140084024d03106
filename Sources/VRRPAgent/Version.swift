/// What the program calls itself, where keepalived prints its own name and version.
enum Version {
    static let name = "vrrp-agent"
    static let number = "0.1.0"
    /// `vrrp-agent v0.1.0`.
    static let text = "\(name) v\(number)"
}
