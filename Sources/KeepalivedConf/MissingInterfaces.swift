public import NetworkTypes

/// Where the file names an interface that the configuration does not: a line that a later one
/// replaces, or an instance that lacks something. keepalived minds all the same when there is none.
struct InterfaceMention: Sendable {
    var interface: InterfaceName
    var position: SourcePosition
    /// What keepalived says then.
    var message: String

    init(_ interface: InterfaceName, at position: SourcePosition, ofInstance name: String) {
        self.interface = interface
        self.position = position
        message = "WARNING - interface \(interface) for vrrp_instance \(name) doesn't exist"
    }

    init(_ interface: InterfaceName, at position: SourcePosition, of address: InterfaceAddress) {
        self.interface = interface
        self.position = position
        message =
            "WARNING - interface \(interface) for ip address \(address.written) doesn't exist"
    }

    init(inGARPGroup interface: InterfaceName, at position: SourcePosition) {
        self.interface = interface
        self.position = position
        message = "WARNING - interface \(interface) specified for garp_group doesn't exist"
    }
}

extension ParsedConfiguration {
    /// What keepalived would say, on a machine, about interfaces that the file names and `exists`
    /// denies: it refuses to run then, unless `dynamic_interfaces` is set.
    public func diagnosticsForMissingInterfaces(
        exists: (InterfaceName) -> Bool
    ) -> [ConfDiagnostic] {
        configuration.diagnosticsForMissingInterfaces(
            besides: mentions, exists: exists)
    }
}

extension Configuration {
    fileprivate func diagnosticsForMissingInterfaces(
        besides mentions: [InterfaceMention], exists: (InterfaceName) -> Bool
    ) -> [ConfDiagnostic] {
        var diagnostics: [ConfDiagnostic] = []
        visitInterfaceUses(besides: mentions) { name, position, isRequired, message in
            guard !exists(name) else { return }
            if global.dynamicInterfaces {
                diagnostics.append(
                    ConfDiagnostic(
                        position, .note, .adjustedValue,
                        "Configuration specifies interface \(name) which doesn't currently"
                            + " exist - will use if created"))
            } else {
                diagnostics.append(
                    ConfDiagnostic(
                        position, isRequired ? .error : .warning,
                        isRequired ? .refused : .adjustedValue, message()))
            }
        }
        return diagnostics
    }

    /// Takes a place that names an interface, whether keepalived does not run without it, and what
    /// it says then.
    private typealias Visitor = (
        InterfaceName, SourcePosition, _ isRequired: Bool, _ message: () -> String
    ) -> Void

    private func visitInterfaceUses(
        besides mentions: [InterfaceMention], _ visit: Visitor
    ) {
        for mention in mentions { visitUse(mention, visit) }
        for instance in instances {
            visitUse(
                InterfaceMention(
                    instance.interface, at: instance.interfacePosition, ofInstance: instance.name),
                visit)
            for addresses in [instance.virtualAddresses, instance.excludedAddresses] {
                for address in addresses where address.interface != instance.interface {
                    visitUse(address, visit)
                }
            }
            for tracked in instance.trackedInterfaces {
                visitUse(tracked, owner: instance.name, visit)
            }
            for route in instance.virtualRoutes { visitUses(of: route, visit) }
            for rule in instance.virtualRules { visitUses(of: rule, visit) }
        }
        for group in syncGroups {
            for tracked in group.trackedInterfaces { visitUse(tracked, owner: group.name, visit) }
        }
        for group in global.garpGroups {
            for (name, position) in zip(group.interfaces, group.positions) {
                visitUse(InterfaceMention(inGARPGroup: name, at: position), visit)
            }
        }
        for delay in global.interfaceDelays {
            guard let position = delay.position else { continue }
            visit(delay.interface, position, false) {
                "unknown interface \(delay.interface) specified for up/down delay"
            }
        }
        for address in staticAddresses { visitUse(address, visit) }
        for route in staticRoutes { visitUses(of: route, visit) }
        for rule in staticRules { visitUses(of: rule, visit) }
    }

    private func visitUse(_ mention: InterfaceMention, _ visit: Visitor) {
        visit(mention.interface, mention.position, true) { mention.message }
    }

    private func visitUse(_ address: VirtualAddress, _ visit: Visitor) {
        visitUse(
            InterfaceMention(address.interface, at: address.position, of: address.address), visit)
    }

    private func visitUse(
        _ tracked: VRRPInstance.TrackedInterface, owner: String, _ visit: Visitor
    ) {
        visit(tracked.interface, tracked.position, true) {
            "(\(owner)) tracked interface \(tracked.interface) doesn't exist"
        }
    }

    private func visitUses(of route: RouteDefinition, _ visit: Visitor) {
        for case let name? in [route.interface] + route.nextHops.map(\.interface) {
            visit(name, route.position, true) {
                "WARNING - interface \(name) for VROUTE nexthop doesn't exist"
            }
        }
    }

    private func visitUses(of rule: RuleDefinition, _ visit: Visitor) {
        for case let name? in [rule.inputInterface, rule.outputInterface] {
            visit(name, rule.position, true) {
                "WARNING - interface \(name) for rule doesn't exist"
            }
        }
    }
}

extension InterfaceAddress {
    /// As it is usually written: with the length of its prefix unless that is whole.
    fileprivate var written: String {
        prefixLength == address.bitWidth ? "\(address)" : "\(self)"
    }
}
