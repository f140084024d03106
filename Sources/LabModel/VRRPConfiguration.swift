public import NetworkTypes

/// A VRRP daemon's configuration file in a node, with what must be known of the node to check it.
///
/// It is there for every daemon whose file could be read, whatever else is wrong with the lab
/// file, so that the mistakes in both are told at once.
public struct VRRPConfiguration: Equatable, Sendable {
    /// The node.
    public var node: String
    /// The service that reads the file.
    public var service: String
    /// The daemon behind it.
    public var kind: Service.Kind
    /// The file.
    public var file: NodeFile
    /// All files that are laid into the node: those that `file` may include.
    public var files: [NodeFile]
    /// Whether ``files`` are all there are to be; not where one of them could not be read.
    public var filesAreComplete: Bool
    /// The node's interfaces besides `lo`; nil where not all of them could be read.
    public var interfaces: Set<InterfaceName>?
    /// Those of them that are macvlans of the host's, with what they are macvlans of.
    public var hostInterfaces: [InterfaceName: InterfaceName]

    /// The configuration of a service; nil for one that is no VRRP daemon, or whose file is not
    /// there.
    init?(
        of service: Service, node: String, files: [NodeFile], filesAreComplete: Bool = true,
        interfaces: Set<InterfaceName>?, hostInterfaces: [InterfaceName: InterfaceName] = [:]
    ) {
        guard service.kind.speaksVRRP,
            let file = files.last(where: { $0.path == service.configurationPath })
        else { return nil }
        self.node = node
        self.service = service.name
        kind = service.kind
        self.file = file
        self.files = files
        self.filesAreComplete = filesAreComplete
        self.interfaces = interfaces
        self.hostInterfaces = hostInterfaces
    }
}

extension Lab {
    /// The configuration files of the lab's VRRP daemons, in the order of nodes and services.
    public var vrrpConfigurations: [VRRPConfiguration] {
        let outside = hostInterfaces
        return nodes.flatMap { node in
            let names = node.interfaces.map(\.name)
            return node.services.compactMap { service in
                VRRPConfiguration(
                    of: service, node: node.name, files: node.files, interfaces: Set(names),
                    hostInterfaces: outside.parents(of: node.name, names))
            }
        }
    }
}

extension LabAssembly {
    /// The configuration files of the VRRP daemons, each as the lab has it and as every scenario
    /// has it that lays files into the node.
    var vrrpConfigurations: [VRRPConfiguration] {
        let outside = Self.hostInterfaces(networks: networks ?? [], nodes: nodes)
        return nodes.flatMap { node in
            let own = node.files
            let variants = scenarios.map { scenario in
                scenario.files.filter { $0.node == node.name.value }.map(\.file)
            }
            let interfacesAreKnown =
                node.isSound && node.unsoundInterfaces.isEmpty && linksAreSound
            let names = interfacesAreKnown ? Set(node.interfaces.map(\.name.value)) : nil
            return ([[]] + variants.filter { !$0.isEmpty }).flatMap { laid in
                let replaced = Set(laid.map(\.path))
                let files = own.filter { !replaced.contains($0.path) } + laid
                return node.services.compactMap { service in
                    VRRPConfiguration(
                        of: service.value, node: node.name.value, files: files,
                        filesAreComplete: node.filesAreSound && scenariosAreSound,
                        interfaces: names,
                        hostInterfaces: outside.parents(
                            of: node.name.value, node.interfaces.map(\.name.value)))
                }
            }
        }
    }

    /// A VRRP daemon that the lab starts needs its configuration file, from the node or from
    /// every scenario. One that is started later may get it in another way.
    mutating func checkConfigurationsAreThere() {
        for node in nodes where node.filesAreSound && node.isSound {
            let own = Set(node.files.map(\.path))
            let laid = scenarios.map { scenario in
                Set(scenario.files.filter { $0.node == node.name.value }.map(\.file.path))
            }
            for service in node.services where service.value.kind.speaksVRRP {
                let path = service.value.configurationPath
                if own.contains(path) { continue }
                // A scenario that could not be read may have it.
                if !scenariosAreSound { continue }
                if !laid.isEmpty, laid.allSatisfy({ $0.contains(path) }) { continue }
                let message =
                    "service \(service.value.name) of node \(node.name.value) reads \(path), "
                    + "which is not among the node's files"
                if service.value.startsWithNode {
                    diagnostics.error(message, at: service.mark)
                } else {
                    diagnostics.warning(message, at: service.mark)
                }
            }
        }
    }
}

extension Service {
    /// The file in the node that this service, a VRRP daemon, reads.
    public var configurationPath: String { configuration ?? kind.defaultConfiguration ?? "" }
}
