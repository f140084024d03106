import KeepalivedConf
import NetworkTypes

/// A virtual server, and how it is.
struct ServiceState: Sendable {
    var server: VirtualServer
    /// What it is in the kernel's table: one entry, or all of its group.
    var entries: [IPVSService]
    /// The lines of its group, in the order in which the kernel gets them.
    let groupEntries: [VirtualServerGroup.Entry]
    /// Whether it is in the kernel's table.
    var isAlive = false
    /// Whether enough of the machines behind it live.
    var isQuorumUp = false
    var servers: [ServerState]
    var sorry: SorryState?
    /// How often its address is on this machine: `ha_suspend`.
    var addressCount = 0

    init(_ server: VirtualServer, groups: [VirtualServerGroup]) {
        self.server = server
        groupEntries = server.groupEntries(groups)
        entries = server.entries(groups)
        servers = server.realServers.map { ServerState($0) }
        sorry = server.sorryServer.map { sorry in
            SorryState(
                server: sorry,
                isRealServer: server.realServers.contains {
                    $0.address == sorry.address && $0.port == sorry.port
                })
        }
    }

    /// The sum of the weights of the machines that live.
    var liveWeight: Int {
        servers.reduce(0) { $0 + ($1.isAlive ? Int($1.kernelWeight) : 0) }
    }

    /// Whether the machines behind it are in the table as they live: not while the sorry server
    /// stands in for them.
    var showsServers: Bool { isQuorumUp || !(sorry?.isAlive ?? false) }
}

/// A machine behind a virtual server.
struct ServerState: Sendable {
    var server: RealServer
    /// Whether it counts: none of its checkers has failed.
    var isAlive = false
    /// Whether it is in the kernel's table, be it with weight 0.
    var isSet = false
    /// The weight that its checkers give it.
    var weight: Int
    var failedCheckers = 0
    var checkers: [CheckerState]
    /// Whether it was there before a reload.
    var isReloaded = false

    init(_ server: RealServer) {
        self.server = server
        weight = server.weight
        checkers = server.checkers.map { CheckerState($0) }
    }

    /// The weight as the kernel takes it.
    var kernelWeight: UInt32 { UInt32(min(max(weight, 0), Self.greatestWeight)) }
    /// keepalived's IPVS_WEIGHT_MAX.
    private static let greatestWeight = 65535

    mutating func setChecker(_ index: Int, isUp: Bool) {
        guard checkers[index].isUp != isUp else { return }
        checkers[index].isUp = isUp
        failedCheckers = max(failedCheckers + (isUp ? -1 : 1), 0)
    }
}

/// What stands in when too few machines live.
struct SorryState: Sendable {
    var server: VirtualServer.SorryServer
    /// Whether it is one of the machines behind the virtual server as well.
    var isRealServer: Bool
    /// Whether it stands in.
    var isAlive = false
    /// Whether it is in the kernel's table.
    var isSet = false
}

/// A checker, and what it has found.
struct CheckerState: Sendable {
    var definition: Checker
    var isUp = true
    /// Whether a check has had a result.
    var hasRun = false
    /// Failures since the last success, as keepalived counts them.
    var failures = 0
    /// `ha_suspend` has not suspended it.
    var isEnabled = true
    /// When the next check is to begin; nil while one runs.
    var due: MonotonicInstant?
    /// What it adds to the weight of its machine: `misc_dynamic`.
    var weight = 0
    /// The page that is asked for next.
    var page = 0
    /// The page that has failed.
    var failedPage: Int?
    /// The exit status that counted last.
    var lastStatus: Int32 = 0
    /// When the check that runs has begun.
    var lastBegin = MonotonicInstant.zero

    init(_ definition: Checker) {
        self.definition = definition
    }

    /// Whether it ever runs: what looks at files and sessions is told.
    var isScheduled: Bool {
        switch definition.kind {
        case .file, .bfd: false
        case .tcp, .http, .smtp, .dns, .misc, .ping, .udp: true
        }
    }
}

// MARK: The kernel's table

extension VirtualServer {
    /// What it is in the kernel's table.
    func entries(_ groups: [VirtualServerGroup]) -> [IPVSService] {
        keys(groups).map { key in
            let family =
                switch key {
                case .address(let address, _, _): address.family
                case .mark(_, let family): family
                }
            return IPVSService(
                key, scheduler: scheduler.rawValue, flags: UInt32(flags.rawValue),
                persistence: persistence(family))
        }
    }

    private func persistence(_ family: IPAddress.Family) -> IPVSService.Persistence? {
        guard let timeout = persistenceTimeout else { return nil }
        let length =
            switch persistenceGranularity {
            case .mask(let mask): mask.rawValue.nonzeroBitCount
            case .length(let length): length
            case nil: family == .v4 ? 32 : 128
            }
        return .init(
            timeoutSeconds: UInt32(clamping: timeout.components.seconds), prefixLength: length,
            engine: persistenceEngine)
    }

    private func keys(_ groups: [VirtualServerGroup]) -> [IPVSService.Key] {
        let transport: IPVSService.Transport =
            switch transportProtocol {
            case .tcp: .tcp
            case .sctp: .sctp
            case .udp, nil: .udp
            }
        switch target {
        case .address(let address, let port):
            return [.address(address, transport: transport, port: port ?? 0)]
        case .firewallMark(let mark): return [.mark(mark, family)]
        case .group:
            return groupEntries(groups).flatMap { entry -> [IPVSService.Key] in
                switch entry {
                case .firewallMark(let mark, let own): [.mark(mark, own ?? family)]
                case .addresses(let first, let last, let port):
                    first.range(to: last).map {
                        .address($0, transport: transport, port: port ?? 0)
                    }
                }
            }
        }
    }

    /// The lines of its group: keepalived keeps addresses and marks in two lists.
    func groupEntries(_ groups: [VirtualServerGroup]) -> [VirtualServerGroup.Entry] {
        guard case .group(let name) = target else { return [] }
        let entries = groups.first { $0.name == name }?.entries ?? []
        return entries.filter { !$0.isMark } + entries.filter(\.isMark)
    }
}

extension VirtualServer.Forwarding {
    /// In the kernel's terms.
    var method: IPVSDestination.Forwarding {
        switch self {
        case .translation: return .masquerading
        case .directRouting: return .directRouting
        case .tunnel(let tunnel):
            let type: UInt8 =
                switch tunnel.kind {
                case .ipip: 0
                case .gue: 1
                case .gre: 2
                }
            let flags: UInt16 =
                switch tunnel.checksum {
                case .none: 0
                case .full: 1
                case .remote: 2
                }
            return .tunnel(.init(type: type, port: tunnel.port ?? 0, flags: flags))
        }
    }
}

extension IPAddress {
    /// The addresses up to another of the same family. As in keepalived, a range of IPv6 addresses
    /// lies within their last 16 bits.
    fileprivate func range(to last: IPAddress) -> [IPAddress] {
        switch (self, last) {
        case (.v4(let first), .v4(let last)) where first.rawValue <= last.rawValue:
            (first.rawValue...last.rawValue).prefix(Self.longestRange).map {
                .v4(IPv4Address(rawValue: $0))
            }
        case (.v6(let first), .v6(let last)) where first.low <= last.low:
            (first.low...last.low).prefix(Self.longestRange).map {
                .v6(IPv6Address(high: first.high, low: $0))
            }
        case (.v4, _), (.v6, _): [self]
        }
    }

    private static let longestRange = 65536
}
