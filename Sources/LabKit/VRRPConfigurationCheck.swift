import KeepalivedConf
package import LabModel
import NetworkTypes

/// Reads the configuration files of a lab's VRRP daemons: what is wrong with them, and which
/// virtual routers they define.
package struct VRRPConfigurationCheck {
    /// What is wrong with the files; a mistake once, however many daemons read the file.
    private(set) var diagnostics: Set<Diagnostic> = []
    /// In the order of the files.
    private(set) var virtualRouters: [VirtualRouterFacts] = []

    /// Reads the files.
    package init(_ configurations: [VRRPConfiguration]) {
        for configuration in configurations {
            switch configuration.kind {
            case .frr: checkFRR(configuration)
            case .vrrpAgent, .keepalived, .http, .echo, .smtp, .command:
                checkKeepalived(configuration)
            }
        }
    }

    private mutating func checkFRR(_ configuration: VRRPConfiguration) {
        let file = configuration.name(of: configuration.file)
        let parsed = FRRConfiguration(configuration.file.text, file: file)
        diagnostics.formUnion(parsed.diagnostics)
        if let interfaces = configuration.interfaces {
            for router in parsed.routers
            where !interfaces.contains(where: { $0.text == router.interface }) {
                diagnostics.insert(
                    Diagnostic(
                        file: file, line: 0, column: 0,
                        message: "VRID \(router.vrid) is on interface \(router.interface), which "
                            + "node \(configuration.node) has not"))
            }
        }
        for router in parsed.routers {
            guard let name = InterfaceName(router.interface),
                let parent = configuration.hostInterfaces[name]
            else { continue }
            diagnostics.insert(
                Diagnostic(
                    file: file, line: 0, column: 0,
                    message:
                        "VRID \(router.vrid): FRR takes the virtual router's Ethernet address, "
                        + "\(Self.shared(name, parent)); use `--vrrp vrrp-agent` or keepalived"))
        }
        virtualRouters += parsed.facts(node: configuration.node, service: configuration.service)
    }

    private mutating func checkKeepalived(_ configuration: VRRPConfiguration) {
        // As the daemon in the node: `@ID` lines are for the host's name, which is the node's.
        let parsed = Configuration.parse(
            configuration.file.text, file: configuration.file.path,
            context: ConfigurationContext(configID: configuration.node),
            files: configuration.view)
        var found = parsed.diagnostics
        if let interfaces = configuration.interfaces {
            found += parsed.diagnosticsForMissingInterfaces {
                interfaces.contains($0) || $0.text == "lo"
            }.map {
                var diagnostic = $0
                let names = interfaces.map(\.text).sorted().joined(separator: ", ")
                diagnostic.detail =
                    "node \(configuration.node) has \(names.isEmpty ? "no interface" : names)"
                return diagnostic
            }
        }
        if !configuration.filesAreComplete { found.removeAll { $0.kind == .missingInclude } }
        diagnostics.formUnion(
            found.compactMap { found in
                var found = found
                found.position.file = configuration.name(ofPath: found.position.file)
                return Diagnostic(found)
            })
        for instance in parsed.configuration.instances {
            guard case .macvlan? = instance.virtualInterface?.kind,
                let position = instance.virtualInterfacePosition,
                let parent = configuration.hostInterfaces[instance.interface]
            else { continue }
            diagnostics.insert(
                Diagnostic(
                    file: configuration.name(ofPath: position.file), line: position.line,
                    column: position.column,
                    message: "(\(instance.name)) use_vmac takes the virtual router's Ethernet "
                        + "address, \(Self.shared(instance.interface, parent)); leave use_vmac out")
            )
        }
        let startsLate = parsed.configuration.global.startupDelay > .zero
        virtualRouters += parsed.configuration.instances.map { instance in
            var facts = VirtualRouterFacts(
                instance, node: configuration.node, service: configuration.service)
            facts.hasConditions = facts.hasConditions || startsLate
            return facts
        }
    }
}

extension VRRPConfigurationCheck {
    /// Why two nodes cannot have that address.
    fileprivate static func shared(_ interface: InterfaceName, _ parent: InterfaceName) -> String {
        "and \(interface) is a macvlan of the host's \(parent), of which the kernel gives no two "
            + "the same"
    }
}

extension VRRPConfiguration {
    /// The file as messages name it: the user's own, or where its text is laid.
    fileprivate func name(of file: NodeFile) -> String { file.source ?? "\(node):\(file.path)" }

    /// The file at that path in the node, as messages name it.
    fileprivate func name(ofPath path: String) -> String {
        files.last { $0.path == path }.map(name) ?? path
    }

    /// What an `include` can find: only files of the lab, since the host's are nobody's promise.
    fileprivate var view: ConfigurationFiles {
        ConfigurationFiles(
            content: { path in
                if let file = files.last(where: { $0.path == path }) { return .text(file.text) }
                return names(in: path).isEmpty ? nil : .folder
            },
            names: { folder in
                let names = names(in: folder)
                return names.isEmpty ? nil : names.sorted()
            })
    }

    /// The names in a folder of the node, as far as the lab lays files there.
    private func names(in folder: String) -> Set<String> {
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        return Set(
            files.compactMap { file in
                guard file.path.hasPrefix(prefix) else { return nil }
                return file.path.dropFirst(prefix.count).split(separator: "/").first.map(
                    String.init)
            })
    }
}

extension NodeFile {
    /// Its content as text, what is not UTF-8 in it repaired.
    var text: String { String(decoding: contents, as: UTF8.self) }
}

extension Diagnostic {
    /// What the user should read of a mistake in a keepalived.conf; nil for mere notes.
    init?(_ diagnostic: ConfDiagnostic) {
        guard diagnostic.severity != .note else { return nil }
        // keepalived calls a reason to give up a warning.
        let prefix = "WARNING - "
        let isMislabelled =
            diagnostic.severity == .error && diagnostic.message.hasPrefix(prefix)
        let message = diagnostic.message.dropFirst(isMislabelled ? prefix.count : 0)
        self.init(
            file: diagnostic.position.file, line: diagnostic.position.line,
            column: diagnostic.position.column,
            severity: diagnostic.severity == .error ? .error : .warning,
            message: message + (diagnostic.detail.map { "; \($0)" } ?? ""))
    }
}

extension VirtualRouterFacts {
    /// What an instance of a keepalived.conf comes to.
    init(_ instance: VRRPInstance, node: String, service: String) {
        self.init(
            node: node, service: service, instance: instance.name,
            interface: instance.interface.text, version: Int(instance.version.rawValue),
            vrid: Int(instance.virtualRouterID), priority: Int(instance.priority),
            advertisementInterval: instance.advertisementInterval,
            masterDownAdvertisements: instance.masterDownAdvertisements,
            preempts: !instance.nopreempt,
            addresses: instance.virtualAddresses.map(\.address.address),
            hasConditions: instance.hasConditions,
            announcementRefresh: instance.announcements.refreshInterval > .zero
                ? instance.announcements.refreshInterval : nil)
    }
}

extension VRRPInstance {
    /// Whether more decides about it than its interface and what it hears.
    fileprivate var hasConditions: Bool {
        !trackedInterfaces.isEmpty || !trackedScripts.isEmpty || !trackedFiles.isEmpty
            || !trackedProcesses.isEmpty || syncGroup != nil || preemptDelay > .zero
            || ignoresOwnInterface || !configurationFaults.isEmpty
    }
}
