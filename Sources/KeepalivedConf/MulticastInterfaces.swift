public import NetworkTypes

extension Configuration {
    /// Keeps instances without unicast peers out of service for good whose interfaces carry no
    /// multicast on the machine, as keepalived does.
    ///
    /// - Parameter lacksMulticast: whether there is such an interface, and it does not; asked for
    ///   the interfaces of instances without peers only.
    /// - Returns: what there is to say about each.
    public mutating func disableInstances(
        where lacksMulticast: (InterfaceName) -> Bool
    ) -> [ConfDiagnostic] {
        var diagnostics: [ConfDiagnostic] = []
        for index in instances.indices {
            let instance = instances[index]
            guard !instance.usesUnicast, lacksMulticast(instance.interface) else { continue }
            let message =
                "(\(instance.name)) interface \(instance.interface) does not support multicast,"
                + " specify unicast peers - disabling"
            instances[index].configurationFaults.append(message)
            diagnostics.append(
                ConfDiagnostic(
                    instance.interfacePosition, .error, .lossOfConfiguration, message,
                    namesLine: false))
        }
        return diagnostics
    }
}
