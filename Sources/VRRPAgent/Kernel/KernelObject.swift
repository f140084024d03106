import KeepalivedConf
import Netlink
import NetworkTypes
import SystemPackage

/// Something that the configuration has the agent put into the kernel's tables: an address on an
/// interface, a route or a rule.
///
/// Pure. Two are equal when the kernel could not tell them apart: where they stand in the file does
/// not count, nor whether their removal by somebody else matters.
enum KernelObject: Hashable {
    /// An address, and the interface it is on.
    case address(VirtualAddress, on: InterfaceName)
    case route(RouteDefinition)
    case rule(RuleDefinition)

    /// What was written there is not acted on.
    private static let nowhere = SourcePosition(file: "", line: 0, column: 0)

    /// - Parameter interface: where it is, when that is not the interface it was written for.
    init(_ address: VirtualAddress, on interface: InterfaceName? = nil) {
        var address = address
        let interface = interface ?? address.interface
        address.interface = interface
        address.position = Self.nowhere
        address.isTracked = true
        address.usesVMAC = false
        // An IPv6 address has it among its flags.
        address.detectsDuplicates = false
        self = .address(address, on: interface)
    }

    init(_ route: RouteDefinition) {
        var route = route
        route.position = Self.nowhere
        route.isTracked = true
        self = .route(route)
    }

    init(_ rule: RuleDefinition) {
        var rule = rule
        rule.position = Self.nowhere
        rule.isTracked = true
        self = .rule(rule)
    }

    // MARK: Requests

    /// What asks the kernel for it.
    ///
    /// - Parameter device: finds an interface.
    /// - Returns: nil when it needs an interface that is not there.
    func addition(
        _ device: (InterfaceName) -> Device?
    ) throws(NetlinkError) -> Request? {
        switch self {
        case .address(let address, let name):
            guard let device = device(name) else { return nil }
            return try .add(
                address.address, to: device, peer: address.peer?.address, label: address.label,
                scope: Scope(rawValue: address.scope.rawValue), broadcast: address.broadcast,
                flags: AddressFlags(rawValue: address.flags.rawValue),
                preferredSeconds: address.preferredLifetime.map {
                    UInt32(clamping: $0.components.seconds)
                })
        case .route(let definition):
            guard let route = Route(definition, device) else { return nil }
            return switch definition.insertion {
            case .prepend: try .prepend(route)
            case .add: try .add(route)
            case .append: try .append(route)
            }
        case .rule(let rule): return try .add(Rule(rule))
        }
    }

    /// What asks the kernel to take it away.
    ///
    /// - Returns: nil when it went with an interface that is not there.
    func removal(
        _ device: (InterfaceName) -> Device?
    ) throws(NetlinkError) -> Request? {
        switch self {
        case .address(let address, let name):
            guard let device = device(name) else { return nil }
            return try .remove(address.address, from: device, peer: address.peer?.address)
        case .route(let route): return try Route(route, device).map(Request.delete)
        case .rule(let rule): return try .delete(Rule(rule))
        }
    }

    /// It is there already, by whoever's hand.
    static let toleratedAtAddition: Set<Errno> = [.fileExists]

    /// It is not there (EADDRNOTAVAIL for addresses, ESRCH for routes, ENOENT for rules), or its
    /// interface is not (ENODEV).
    static let toleratedAtRemoval: Set<Errno> = [
        .addressNotAvailable, .noSuchProcess, .noSuchFileOrDirectory,
        .operationNotSupportedByDevice,
    ]

    // MARK: Recognition

    /// What tells an object from others of its sort, as the kernel tells of it.
    enum Key: Hashable {
        case address(InterfaceAddress, index: Int32)
        /// Destination, table, type of service and metric tell one route from another.
        case route(IPPrefix, table: UInt32, typeOfService: UInt8, metric: UInt32)
        /// Everything about a rule does, but who made it.
        case rule(Rule)

        init(_ route: Route) {
            // The kernel's default metric for IPv6, 1024, it tells; IPv4's, 0, it does not.
            let usual: UInt32 = route.destination.base.family == .v6 ? 1024 : 0
            self = .route(
                route.destination, table: route.table, typeOfService: route.typeOfService,
                metric: route.metric ?? usual)
        }

        init(_ rule: Rule) {
            var rule = rule
            rule.origin = nil
            // Rules that look nothing up have a table of 0 to the kernel.
            if rule.action != .lookup || rule.looksUpVRF { rule.table = 0 }
            self = .rule(rule)
        }
    }

    /// Whether it may be in the kernel's tables: of addresses that is known, whatever the length of
    /// their prefix.
    func mayBe(in interfaces: InterfaceTable) -> Bool {
        guard case .address(let address, let name) = self else { return true }
        let wanted = address.address.address
        return interfaces[name]?.addresses.contains { $0.address.address == wanted } ?? false
    }

    /// Its key; nil when its interface is not there.
    func key(_ device: (InterfaceName) -> Device?) -> Key? {
        switch self {
        case .address(let address, let name):
            device(name).map { .address(address.address, index: $0.index) }
        case .route(let route): Route(route, device).map(Key.init)
        case .rule(let rule): Key(Rule(rule))
        }
    }
}

extension KernelObject: CustomStringConvertible {
    /// For the log: `10.0.0.1/32 dev eth0`.
    var description: String {
        switch self {
        case .address(let address, let name): "\(address.address) dev \(name)"
        case .route(let route): Route(route) { Device(index: 0, name: $0) }?.description ?? ""
        case .rule(let rule): Rule(rule).description
        }
    }
}

extension Route {
    /// - Returns: nil when it needs an interface that is not there.
    init?(_ definition: RouteDefinition, _ device: (InterfaceName) -> Device?) {
        var outgoing: Device?
        if let name = definition.interface {
            guard let found = device(name) else { return nil }
            outgoing = found
        }
        self.init(to: definition.destination, via: definition.gateway, dev: outgoing)
        for hop in definition.nextHops {
            var way = NextHop(
                via: hop.gateway, weight: hop.weight ?? 1, isOnLink: hop.isOnLink,
                realms: hop.realms)
            if let name = hop.interface {
                guard let found = device(name) else { return nil }
                way.device = found
            }
            nextHops.append(way)
        }
        kind = definition.type
        preferredSource = definition.source
        from = definition.from
        table = definition.table
        metric = definition.metric
        // keepalived's is everywhere for every type, where ip would choose.
        scope = definition.scope.map { Scope(rawValue: $0.rawValue) } ?? .universe
        origin = definition.routeProtocol ?? Self.keepalivedOrigin
        typeOfService = definition.typeOfService
        isOnLink = definition.isOnLink
        metrics = definition.metrics.map {
            Metric(number: $0.number, value: $0.value, isLocked: $0.isLocked)
        }
        congestionControl = definition.congestionControl.map {
            CongestionControl($0, isLocked: definition.isCongestionControlLocked)
        }
        realms = definition.realms
        lifetimeSeconds = definition.lifetime.map { UInt32(clamping: $0.components.seconds) }
        routerPreference = definition.routerPreference
        propagatesTTL = definition.propagatesTTL
    }
}

extension Rule {
    init(_ definition: RuleDefinition) {
        self.init(definition.family)
        from = definition.from.flatMap { $0.length == 0 ? nil : $0 }
        to = definition.to.flatMap { $0.length == 0 ? nil : $0 }
        priority = definition.priority
        table = definition.table ?? Route.mainTable
        mark = definition.firewallMark?.value
        markMask = definition.firewallMark?.mask
        inputDevice = definition.inputInterface
        outputDevice = definition.outputInterface
        typeOfService = definition.typeOfService
        isInverted = definition.isInverted
        suppressedPrefixLength = definition.suppressedPrefixLength.map { UInt32(clamping: $0) }
        suppressedGroup = definition.suppressedInterfaceGroup
        realms = definition.realms
        tunnelID = definition.tunnelID
        users = definition.users
        looksUpVRF = definition.looksUpVRF
        ipProtocol = definition.ipProtocol
        sourcePorts = definition.sourcePorts
        destinationPorts = definition.destinationPorts
        origin = definition.ruleProtocol
        action =
            switch definition.action {
            case .lookup: .lookup
            case .goto(let priority): .goto(priority)
            case .nop: .nop
            case .blackhole: .blackhole
            case .unreachable: .unreachable
            case .prohibit: .prohibit
            }
    }
}
