import CLinux
import Glibc
import KeepalivedConf
import LabModel
import NetworkTypes

/// Reads the configuration files of a lab's VRRP daemons: what is wrong with them, and which
/// virtual routers they define.
struct VRRPConfigurationCheck {
    /// What is wrong with the files; a mistake once, however many daemons read the file.
    private(set) var diagnostics: Set<Diagnostic> = []
    /// In the order of the files.
    private(set) var virtualRouters: [VirtualRouterFacts] = []

    /// Reads the files.
    init(_ configurations: [VRRPConfiguration]) {
        for configuration in configurations {
            switch configuration.kind {
            case .frr: checkFRR(configuration)
            case .vrrpAgent, .keepalived, .http, .command: checkKeepalived(configuration)
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
        virtualRouters += parsed.facts(node: configuration.node, service: configuration.service)
    }

    private mutating func checkKeepalived(_ configuration: VRRPConfiguration) {
        let parsed = Configuration.parse(
            configuration.file.text, file: configuration.name(of: configuration.file)
        ) { pattern, _ in
            configuration.included(pattern).map {
                IncludedFile(path: configuration.name(of: $0), text: $0.text)
            }
        }
        var found = parsed.diagnostics
        if let interfaces = configuration.interfaces {
            found += parsed.configuration.diagnosticsForMissingInterfaces {
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
        diagnostics.formUnion(found.compactMap(Diagnostic.init))
        virtualRouters += parsed.configuration.instances.map {
            VirtualRouterFacts($0, node: configuration.node, service: configuration.service)
        }
    }
}

extension VRRPConfiguration {
    /// The file as messages name it: the user's own, or where its text is laid.
    fileprivate func name(of file: NodeFile) -> String { file.source ?? "\(node):\(file.path)" }

    /// The node's files that an `include` names, in the order in which keepalived reads them; only
    /// files of the lab, since the host's are nobody's promise.
    fileprivate func included(_ pattern: String) -> [NodeFile] {
        let folder = file.path[..<(file.path.lastIndex(of: "/") ?? file.path.startIndex)]
        let wanted = pattern.hasPrefix("/") ? pattern : "\(folder)/\(pattern)"
        return files.filter { fnmatch(wanted, $0.path, FNM_PATHNAME) == 0 }
            .sorted { $0.path < $1.path }
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
            advertisementInterval: instance.advertisementInterval, preempts: !instance.nopreempt,
            addresses: instance.virtualAddresses.map(\.address.address))
    }
}
