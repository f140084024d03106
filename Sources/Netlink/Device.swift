public import NetworkTypes

/// A network device that exists, by the index the kernel knows it by.
///
/// The name, where it is known, is only for messages: requests carry the index, because names can
/// be changed by anyone at any time.
public struct Device: Hashable, Sendable, CustomStringConvertible {
    /// The kernel's number for it, unique in its namespace.
    public var index: Int32
    /// Its name, if known.
    public var name: InterfaceName?

    public init(index: Int32, name: InterfaceName? = nil) {
        self.index = index
        self.name = name
    }

    /// `lo`, which has index 1 in every namespace.
    public static let loopback = Device(index: 1, name: InterfaceName("lo"))

    /// The name, or without one `if7`, which `ip` reads as device 7.
    public var description: String { name?.text ?? "if\(index)" }
}

/// A network namespace other than the one a request is made in.
public enum NamespaceReference: Hashable, Sendable, CustomStringConvertible {
    /// By an open descriptor of /proc/PID/ns/net, which stays open until the request was performed.
    case descriptor(CInt)
    /// By a process in it, numbered as the caller's PID namespace does.
    case process(Int32)

    /// As `ip link set DEV netns` takes it.
    public var description: String {
        switch self {
        case .descriptor(let number): "/proc/self/fd/\(number)"
        case .process(let pid): "\(pid)"
        }
    }
}

/// How far from this machine an address or a route's destination reaches (`RT_SCOPE_*`).
public struct Scope: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Anywhere: `global`.
    public static let universe = Scope(rawValue: 0)
    /// Inside this site (IPv6).
    public static let site = Scope(rawValue: 200)
    /// On the attached link.
    public static let link = Scope(rawValue: 253)
    /// On this machine.
    public static let host = Scope(rawValue: 254)
    /// Nowhere: matches every scope when a route is deleted.
    public static let nowhere = Scope(rawValue: 255)

    /// The word `ip` uses.
    public var description: String {
        switch self {
        case .universe: "global"
        case .site: "site"
        case .link: "link"
        case .host: "host"
        case .nowhere: "nowhere"
        default: "\(rawValue)"
        }
    }
}
