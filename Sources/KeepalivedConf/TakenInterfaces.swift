public import NetworkTypes

extension Configuration {
    /// Gives up the names written for macvlans that are other interfaces' on the machine, as
    /// keepalived does where the interface is no private macvlan; its own names take their place.
    ///
    /// - Parameter isTaken: whether such an interface has that name; asked for written names only.
    /// - Returns: what there is to say about each.
    public mutating func renameVirtualInterfaces(
        where isTaken: (InterfaceName) -> Bool
    ) -> [ConfDiagnostic] {
        var diagnostics: [ConfDiagnostic] = []
        for index in instances.indices {
            let instance = instances[index]
            guard let own = instance.virtualInterface, own.kind == .macvlan, own.nameIsWritten,
                isTaken(own.name)
            else { continue }
            let names = Set(instances.compactMap(\.virtualInterface?.name))
            guard let name = instance.freeName(prefix: global.vmacPrefix, besides: names) else {
                continue
            }
            instances[index].virtualInterface?.name = name
            instances[index].virtualInterface?.nameIsWritten = false
            diagnostics.append(
                ConfDiagnostic(
                    instance.virtualInterfacePosition ?? instance.position, .warning,
                    .adjustedValue,
                    "(\(instance.name)) interface \(own.name) already exists and is not a private"
                        + " macvlan; ignoring vmac if_name"))
        }
        return diagnostics
    }
}
