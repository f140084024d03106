import NetworkTypes

/// A lab file as it was read, part by part, before the parts are checked against one another.
///
/// Names stay in it even where what they name was mistaken, so that a reference to them is not a
/// second mistake.
struct LabDraft {
    /// Where a message about the whole lab points.
    var mark: YAMLMark
    var name: String?
    var needs: [Scenario.Capability] = []
    /// Nil when the section could not be read: then nothing is known about networks' names.
    var networks: [NetworkDraft]?
    /// Nil when the section is missing or could not be read.
    var nodes: [NodeDraft]?
    var links: [LinkDraft] = []
    /// What is published.
    var publications: [Located<WrittenPublication>] = []
    /// Whether all links could be read.
    var linksAreSound = true
    var scenarios: [Scenario] = []
    /// Whether all scenarios could be read.
    var scenariosAreSound = true
}

/// A network as written.
struct NetworkDraft {
    var name: Located<String>
    /// The bridge's name; nil when the name cannot be one.
    var device: InterfaceName?
    var subnets: [Located<IPPrefix>] = []
    var mtuBytes: Int?
    var external: ExternalNetwork?
    /// The address of the lab's own station, where one is given.
    var gateway: Located<IPAddress>?
    /// Whether all subnets could be read: otherwise nothing is said about addresses in it.
    var isSound = true
}

/// A node as written.
struct NodeDraft {
    var name: Located<String>
    var interfaces: [InterfaceDraft] = []
    /// Names of interfaces that could not be read.
    var unsoundInterfaces: Set<String> = []
    var routes: [RouteDraft] = []
    var sysctls: [Sysctl] = []
    var environment: [EnvironmentVariable] = []
    var files: [NodeFile] = []
    /// Whether all files could be read.
    var filesAreSound = true
    var services: [Located<Service>] = []
    /// The names of all services, mistaken ones too; nil when the section could not be read.
    var serviceNames: [String]? = []
    /// Whether the node itself is a mapping: otherwise nothing is said about what it lacks.
    var isSound = true
}

/// An address as written: its prefix length may be left to the subnet.
struct WrittenAddress {
    var address: IPAddress
    var prefixLength: Int?
}

/// An interface as written.
struct InterfaceDraft {
    var name: Located<InterfaceName>
    /// The name of its network.
    var network: Located<String>?
    /// The index of its link, once the links are known.
    var link: Int?
    /// Nil when none are written: they are assigned from the network's subnets then.
    var addresses: [Located<WrittenAddress>]?
    var mac: Located<MACAddress>?
    var mtuBytes: Located<Int>?
    /// Whether everything in it could be read.
    var isSound = true
}

/// A link as written.
struct LinkDraft {
    /// One end.
    struct Endpoint {
        var node: String
        /// Nil when the name cannot be a device's.
        var interface: InterfaceName?
        var writtenInterface: String
        var mark: YAMLMark
        var addresses: [Located<WrittenAddress>]?
    }
    var endpoints: [Endpoint]
    var mtuBytes: Located<Int>?
}

/// A route as written.
struct RouteDraft {
    var destination: IPPrefix?
    var gateway: Located<IPAddress>?
    var device: Located<String>?
    var mark: YAMLMark
}
