public import NetworkTypes

/// What is known of an instance that keepalived would not run, for what is missing.
struct IncompleteInstance: Sendable {
    var name: String
    var interface: InterfaceName
    var interfacePosition: SourcePosition
}

extension ParsedConfiguration {
    /// What keepalived would say, on a machine, about interfaces that the file names and `exists`
    /// denies: it refuses to run then, unless `dynamic_interfaces` is set.
    public func diagnosticsForMissingInterfaces(
        exists: (InterfaceName) -> Bool
    ) -> [ConfDiagnostic] {
        configuration.diagnosticsForMissingInterfaces(
            besides: incompleteInstances, exists: exists)
    }
}

extension Configuration {
    fileprivate func diagnosticsForMissingInterfaces(
        besides incomplete: [IncompleteInstance], exists: (InterfaceName) -> Bool
    ) -> [ConfDiagnostic] {
        var diagnostics: [ConfDiagnostic] = []
        visitInterfaceUses(besides: incomplete) { name, position, isRequired, message in
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
        besides incomplete: [IncompleteInstance], _ visit: Visitor
    ) {
        for instance in incomplete {
            visitUse(instance.interface, instance.interfacePosition, of: instance.name, visit)
        }
        for instance in instances {
            visitUse(instance.interface, instance.interfacePosition, of: instance.name, visit)
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
                visit(name, position, true) {
                    "WARNING - interface \(name) specified for garp_group doesn't exist"
                }
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

    private func visitUse(
        _ interface: InterfaceName, _ position: SourcePosition, of instance: String,
        _ visit: Visitor
    ) {
        visit(interface, position, true) {
            "WARNING - interface \(interface) for vrrp_instance \(instance) doesn't exist"
        }
    }

    private func visitUse(_ address: VirtualAddress, _ visit: Visitor) {
        visit(address.interface, address.position, true) {
            "WARNING - interface \(address.interface) for ip address \(address.writtenAddress)"
                + " doesn't exist"
        }
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

extension VirtualAddress {
    /// The address as it is usually written: with the length of its prefix unless that is whole.
    fileprivate var writtenAddress: String {
        address.prefixLength == address.address.bitWidth ? "\(address.address)" : "\(address)"
    }
}
