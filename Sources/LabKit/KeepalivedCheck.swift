import CLinux
import Glibc
import KeepalivedConf
import LabModel
import NetworkTypes

/// Reads the keepalived.conf files of a lab's nodes: what is wrong with them, and which virtual
/// routers they define.
struct KeepalivedCheck {
    /// The lab file, for mistakes that are its own.
    let labFile: String
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var virtualRouters: [VirtualRouterFacts] = []

    init(labFile: String) { self.labFile = labFile }

    /// Reads all of a lab's files; ``virtualRouters`` are then this lab's.
    mutating func run(_ lab: Lab) {
        virtualRouters = []
        for node in lab.nodes {
            for service in node.services where service.kind.speaksVRRP { check(service, of: node) }
        }
    }

    private mutating func check(_ service: Service, of node: Node) {
        let path = service.configurationPath
        guard let file = node.files.last(where: { $0.path == path }) else {
            diagnostics.append(
                Diagnostic(
                    file: labFile, line: 0, column: 0,
                    message: "service \(node.name)/\(service.name) reads \(path), "
                        + "which is not among the files of node \(node.name)"))
            return
        }
        let name = file.source ?? "\(node.name):\(path)"
        let parsed = Configuration.parse(
            String(decoding: file.contents, as: UTF8.self), file: name
        ) { pattern, _ in
            Self.included(pattern, by: path, of: node)
        }
        let interfaces = Set(node.interfaces.map(\.name) + [InterfaceName("lo")].compactMap { $0 })
        let missing = parsed.configuration.diagnosticsForMissingInterfaces {
            interfaces.contains($0)
        }
        diagnostics += (parsed.diagnostics + missing).compactMap(Diagnostic.init)
        virtualRouters += parsed.configuration.instances.map {
            VirtualRouterFacts($0, node: node.name, service: service.name)
        }
    }

    /// The node's files that an `include` names; only files of the lab, since the host's are
    /// nobody's promise.
    private static func included(
        _ pattern: String, by includer: String, of node: Node
    ) -> [IncludedFile] {
        let folder = includer.prefix(upTo: includer.lastIndex(of: "/") ?? includer.startIndex)
        let wanted = pattern.hasPrefix("/") ? pattern : "\(folder)/\(pattern)"
        return node.files.filter { fnmatch(wanted, $0.path, FNM_PATHNAME) == 0 }
            .sorted { $0.path < $1.path }
            .map {
                IncludedFile(
                    path: $0.source ?? "\(node.name):\($0.path)",
                    text: String(decoding: $0.contents, as: UTF8.self))
            }
    }
}

extension Diagnostic {
    /// What the user should read of a mistake in a keepalived.conf; nil for mere notes.
    init?(_ diagnostic: ConfDiagnostic) {
        guard diagnostic.severity != .note else { return nil }
        self.init(
            file: diagnostic.position.file, line: diagnostic.position.line,
            column: diagnostic.position.column,
            severity: diagnostic.severity == .error ? .error : .warning,
            message: diagnostic.message + (diagnostic.detail.map { "; \($0)" } ?? ""))
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
