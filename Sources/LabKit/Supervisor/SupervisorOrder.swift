import LabModel
import LinuxSystem
import NetworkTypes

/// What a supervisor is told when it is started: the lab, whole, and where our programs are.
struct SupervisorOrder: Codable, Sendable {
    /// The lab, checked, with all its files in it.
    var lab: Lab
    /// What the nodes' keepalived.conf files say.
    var virtualRouters: [VirtualRouterFacts]
    /// The folder with `node-init`, `wire-relay`, `imposter` and the programs of nodes.
    var programFolder: String
    /// Whether the lab ends with the process that started it, as a test's does.
    var endsWithLauncher: Bool
    /// Whether its nodes have user namespaces of their own.
    var hasWalls: Bool
    /// Who there is in the supervisor's user namespace; nil for root's, which has none.
    var users: IDMap?
    /// What its nodes get of the host's folders; nil for root's, which get them as they are.
    var hostFolders: HostFolders?
    /// The host's own IPv4 addresses, which a lab is kept from that gets out through slirp4netns;
    /// nil for one that does not. Root's are kept from them by the host's own packet filter.
    var hostAddresses: [IPAddress]?
}

/// What a supervisor tells whoever started it.
enum LaunchReport: Codable, Sendable {
    /// The descriptor of the network namespace that slirp4netns is to be started for; a word of
    /// another kind follows.
    case wantsSlirp4netns(CInt)
    /// Every node is up and every service ready.
    case ready
    /// The lab could not be brought up; nothing of it is left.
    case failed(ControlReply.FailureKind, String)
}

extension LaunchReport {
    /// Whether nothing follows.
    var isLast: Bool { if case .wantsSlirp4netns = self { false } else { true } }

    init(_ error: LabError) { self = .failed(ControlReply.FailureKind(error), error.description) }
}

extension ControlReply.FailureKind {
    init(_ error: LabError) {
        self =
            switch error {
            case .machine: .machine
            case .state: .state
            case .invalid, .failed: .failed
            }
    }
}
