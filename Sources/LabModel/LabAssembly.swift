import NetworkTypes

extension LabDraft {
    /// The lab of this draft, its parts checked against one another and its addresses assigned;
    /// nil where a part is missing, which has been noted then. With it come the configuration
    /// files of its VRRP daemons, as far as they could be read.
    func assembled(
        reporting diagnostics: inout DiagnosticList
    ) -> (lab: Lab?, vrrpConfigurations: [VRRPConfiguration]) {
        var assembly = LabAssembly(draft: self, diagnostics: diagnostics)
        let lab = assembly.lab()
        diagnostics = assembly.diagnostics
        return (lab, assembly.vrrpConfigurations)
    }
}

/// Turns a draft into a lab.
///
/// The checks are in `LabValidation.swift`; they run in an order in which each can rely on what
/// the ones before it have found sound.
struct LabAssembly {
    let labName: String
    /// Nil when nothing is known about the networks.
    var networks: [NetworkDraft]?
    var nodes: [NodeDraft]
    /// Whether all nodes of the file are known.
    let nodesAreKnown: Bool
    let links: [LinkDraft]
    /// Whether all links could be read and plugged in.
    var linksAreSound: Bool
    let needs: [Scenario.Capability]
    let publications: [Located<WrittenPublication>]
    let scenarios: [Scenario]
    /// Whether all scenarios could be read.
    let scenariosAreSound: Bool
    var diagnostics: DiagnosticList
    /// Nodes about whose addresses too little is known to check their routes.
    var nodesWithoutAddresses: Set<String> = []
    /// Who has which address.
    var holders: [AddressKey: Holder] = [:]

    /// An address, with the segment it is on where that is what makes it unique.
    struct AddressKey: Hashable {
        var address: IPAddress
        /// The network or link of a link-local address; empty for any other.
        var segment = ""
    }

    /// Where an address or MAC address is given.
    struct Holder {
        var interface: String
        var line: Int
    }

    init(draft: LabDraft, diagnostics: DiagnosticList) {
        labName = draft.name ?? ""
        networks = draft.networks
        nodes = draft.nodes ?? []
        nodesAreKnown = draft.nodes != nil
        links = draft.links
        linksAreSound = draft.linksAreSound
        needs = draft.needs
        publications = draft.publications
        scenarios = draft.scenarios
        scenariosAreSound = draft.scenariosAreSound
        self.diagnostics = diagnostics
    }

    /// Checks everything and builds the lab.
    mutating func lab() -> Lab? {
        checkNodeNames()
        checkNetworks()
        plugLinks()
        checkPlugs()
        checkAddresses()
        checkMACs()
        checkConfigurationsAreThere()
        let addresses = assignedAddresses()
        checkRoutes(addresses: addresses)
        let published = resolvedPublications(addresses: addresses)
        checkGateways(published)
        guard diagnostics.errorCount == 0 else { return nil }
        return withGateways(build(addresses: addresses, published: published))
    }

    /// The address lists of all interfaces, by node and interface.
    typealias AddressTable = [[[InterfaceAddress]]]

    private func build(addresses: AddressTable, published: [PublishedPort]) -> Lab {
        let networks = (networks ?? []).compactMap { draft in
            draft.device.map {
                Network(
                    name: $0, subnets: draft.subnets.map(\.value), mtuBytes: draft.mtuBytes,
                    external: draft.external, gateway: draft.givenGateway.map { [$0] })
            }
        }
        var macs = MACDerivation(
            lab: labName,
            taken: nodes.flatMap { $0.interfaces.compactMap { $0.mac?.value } })
        var built: [Node] = []
        for (draft, addresses) in zip(nodes, addresses) {
            var node = Node(
                name: draft.name.value, routes: draft.routes.map { $0.route },
                sysctls: draft.sysctls, environment: draft.environment, files: draft.files,
                services: draft.services.map(\.value))
            for (interface, addresses) in zip(draft.interfaces, addresses) {
                let name = interface.name.value
                guard let attachment = interface.attachment else {
                    preconditionFailure("checkPlugs lets no interface through without a plug")
                }
                node.interfaces.append(
                    Interface(
                        name: name,
                        attachment: attachment, addresses: addresses,
                        mac: interface.mac?.value
                            ?? macs.next(for: [draft.name.value, name.text]),
                        mtuBytes: interface.mtuBytes?.value))
            }
            built.append(node)
        }
        let links = links.map { link in
            Link(
                endpoints: link.endpoints.compactMap { endpoint in
                    endpoint.interface.map { Endpoint(node: endpoint.node, interface: $0) }
                })
        }
        return Lab(
            name: labName, networks: networks, nodes: built, links: links,
            scenarios: scenarios.flatMap(\.runs), needs: needs, published: published)
    }
}

extension InterfaceDraft {
    /// What it is plugged into; nil for nothing.
    fileprivate var attachment: Interface.Attachment? {
        network.flatMap { InterfaceName($0.value) }.map { .network($0) } ?? link.map { .link($0) }
    }
}

extension RouteDraft {
    /// The route itself.
    var route: Route {
        Route(
            destination: destination, gateway: gateway?.value,
            interface: device.flatMap { InterfaceName($0.value) })
    }
}
