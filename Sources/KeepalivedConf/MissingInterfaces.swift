public import NetworkTypes

extension Configuration {
    /// What keepalived would say, on a machine, about interfaces that the file names and `exists`
    /// denies: it refuses to run then, unless `dynamic_interfaces` is set.
    public func diagnosticsForMissingInterfaces(
        exists: (InterfaceName) -> Bool
    ) -> [ConfDiagnostic] {
        var diagnostics: [ConfDiagnostic] = []
        for use in interfaceUses where !exists(use.name) {
            if global.dynamicInterfaces {
                diagnostics.append(
                    ConfDiagnostic(
                        use.position, .note, .adjustedValue,
                        "Configuration specifies interface \(use.name) which doesn't currently"
                            + " exist - will use if created"))
            } else {
                diagnostics.append(
                    ConfDiagnostic(
                        use.position, use.isRequired ? .error : .warning,
                        use.isRequired ? .refused : .adjustedValue, use.messageWhenMissing))
            }
        }
        return diagnostics
    }

    /// A place that names an interface.
    private struct InterfaceUse {
        var name: InterfaceName
        var position: SourcePosition
        var messageWhenMissing: String
        /// Whether keepalived does not run without it.
        var isRequired = true
    }

    private var interfaceUses: [InterfaceUse] {
        var uses: [InterfaceUse] = []
        for instance in instances {
            uses.append(
                InterfaceUse(
                    name: instance.interface, position: instance.interfacePosition,
                    messageWhenMissing: "WARNING - interface \(instance.interface) for"
                        + " vrrp_instance \(instance.name) doesn't exist"))
            uses += (instance.virtualAddresses + instance.excludedAddresses)
                .filter { $0.interface != instance.interface }.map(use)
            uses += instance.trackedInterfaces.map { use($0, owner: instance.name) }
            uses +=
                instance.virtualRoutes.flatMap(uses(of:)) + instance.virtualRules.flatMap(uses(of:))
        }
        for group in syncGroups {
            uses += group.trackedInterfaces.map { use($0, owner: group.name) }
        }
        for group in global.garpGroups {
            uses += zip(group.interfaces, group.positions).map { name, position in
                InterfaceUse(
                    name: name, position: position,
                    messageWhenMissing: "WARNING - interface \(name) specified for garp_group"
                        + " doesn't exist")
            }
        }
        uses += global.interfaceDelays.compactMap { delay in
            delay.position.map {
                InterfaceUse(
                    name: delay.interface, position: $0,
                    messageWhenMissing: "unknown interface \(delay.interface) specified for"
                        + " up/down delay", isRequired: false)
            }
        }
        uses += staticAddresses.map(use)
        uses += staticRoutes.flatMap(uses(of:)) + staticRules.flatMap(uses(of:))
        return uses
    }

    private func use(_ address: VirtualAddress) -> InterfaceUse {
        InterfaceUse(
            name: address.interface, position: address.position,
            messageWhenMissing: "WARNING - interface \(address.interface) for ip address"
                + " \(address.writtenAddress) doesn't exist")
    }

    private func use(
        _ tracked: VRRPInstance.TrackedInterface, owner: String
    ) -> InterfaceUse {
        InterfaceUse(
            name: tracked.interface, position: tracked.position,
            messageWhenMissing: "(\(owner)) tracked interface \(tracked.interface) doesn't exist")
    }

    private func uses(of route: RouteDefinition) -> [InterfaceUse] {
        ([route.interface] + route.nextHops.map(\.interface)).compactMap { $0 }.map {
            InterfaceUse(
                name: $0, position: route.position,
                messageWhenMissing: "WARNING - interface \($0) for VROUTE nexthop doesn't exist")
        }
    }

    private func uses(of rule: RuleDefinition) -> [InterfaceUse] {
        [rule.inputInterface, rule.outputInterface].compactMap { $0 }.map {
            InterfaceUse(
                name: $0, position: rule.position,
                messageWhenMissing: "WARNING - interface \($0) for rule doesn't exist")
        }
    }
}

extension VirtualAddress {
    /// The address as it is usually written: with the length of its prefix unless that is whole.
    fileprivate var writtenAddress: String {
        address.prefixLength == address.address.bitWidth ? "\(address.address)" : "\(address)"
    }
}
