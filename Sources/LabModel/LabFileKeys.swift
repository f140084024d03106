/// The keys of one kind of mapping in a lab file.
///
/// These tables are the decoder's own, and what the JSON Schema for editors is tested against.
struct LabFileKeys: Sendable {
    /// The mapping's name in the JSON Schema's `$defs`.
    let name: String
    /// Every key it may have, in the order messages list them.
    let keys: [String]
    /// The keys it must have.
    let required: [String]

    private init(_ name: String, _ keys: [String], required: [String] = []) {
        self.name = name
        self.keys = keys
        self.required = required
    }

    static let lab = LabFileKeys(
        "lab", ["name", "needs", "networks", "nodes", "links", "publish", "scenarios"],
        required: ["name", "nodes"])
    static let network = LabFileKeys(
        "network", ["subnet", "subnets", "mtu", "gateway", "external"])
    static let external = LabFileKeys(
        "external", ["type", "parent", "dns", "ip-forward"], required: ["type"])
    static let node = LabFileKeys(
        "node",
        [
            "count", "interfaces", "sysctls", "routes", "gateway", "environment", "files",
            "services",
        ])
    static let interface = LabFileKeys(
        "interface", ["network", "address", "addresses", "mac", "mtu"])
    static let route = LabFileKeys("route", ["to", "via", "dev"], required: ["to"])
    static let file = LabFileKeys("file", ["from", "text", "mode", "owner", "group"])
    static let service = LabFileKeys(
        "service",
        [
            "kind", "aliases", "config", "command", "arguments", "ready", "restart", "autostart",
        ],
        required: ["kind"])
    static let readiness = LabFileKeys(
        "readiness", ["port", "file", "pid-file", "command"])
    static let link = LabFileKeys(
        "link", ["endpoints", "addresses", "mtu"], required: ["endpoints"])
    static let scenario = LabFileKeys(
        "scenario",
        [
            "summary", "description", "needs", "files", "probes", "checks", "steps", "cleanup",
            "sweep",
        ], required: ["steps"])
    static let sweep = LabFileKeys("sweep", ["over", "by"], required: ["over", "by"])
    static let probe = LabFileKeys(
        "probe", ["from", "http", "tcp", "udp", "ping", "arp", "keep", "every", "timeout"],
        required: ["from"])
    static let step = LabFileKeys(
        "step",
        [
            "stop", "start", "restart", "reboot", "kill", "reload", "freeze", "thaw", "link",
            "plug", "unplug", "impair", "partition", "cut", "limit", "imposter", "heal", "exec",
            "edit", "parallel", "wait", "expect", "at", "for",
        ])
    static let limit = LabFileKeys(
        "limit", ["node", "cpu", "cpus", "memory", "disk", "pids"], required: ["node"])
    static let shiftedStart = LabFileKeys(
        "shiftedStart", ["service", "clock"], required: ["service", "clock"])
    static let linkFault = LabFileKeys(
        "linkFault", ["port", "state", "direction", "period", "duty", "count"],
        required: ["port", "state"])
    static let plugFault = LabFileKeys(
        "plugFault", ["port", "network"], required: ["port", "network"])
    static let partitionShape = LabFileKeys(
        "partitionShape", ["shape", "isolate", "bridge", "network"])
    static let cutFault = LabFileKeys("cutFault", ["from", "to"], required: ["from", "to"])
    static let execution = LabFileKeys(
        "execution", ["on", "command", "status", "output"], required: ["on", "command"])
    static let textMatch = LabFileKeys("textMatch", ["contains", "matches"])

    /// All tables.
    static let all =
        [
            lab, network, external, node, interface, route, file, service, readiness, link,
            scenario, sweep,
            probe, step, limit, shiftedStart, linkFault, plugFault, partitionShape, cutFault,
            execution, textMatch, advertPattern,
        ] + expectations + [check] + checks
}

// Expectations and checks: the first required key of each says what it is about.
extension LabFileKeys {
    static let addressExpectation = LabFileKeys(
        "addressExpectation", ["vip", "on", "one-of", "absent", "within", "for", "settled"],
        required: ["vip"])
    static let stateExpectation = LabFileKeys(
        "stateExpectation", ["state", "on", "router", "within", "for"],
        required: ["state", "on"])
    static let httpExpectation = LabFileKeys(
        "httpExpectation", ["http", "from", "body", "status", "outcome", "within", "for"],
        required: ["http", "from"])
    static let tcpExpectation = LabFileKeys(
        "tcpExpectation", ["tcp", "from", "outcome", "within", "for"], required: ["tcp", "from"])
    static let udpExpectation = LabFileKeys(
        "udpExpectation", ["udp", "from", "outcome", "within", "for"], required: ["udp", "from"])
    static let pingExpectation = LabFileKeys(
        "pingExpectation", ["ping", "from", "outcome", "within", "for"],
        required: ["ping", "from"])
    static let arpExpectation = LabFileKeys(
        "arpExpectation", ["arp", "from", "outcome", "within", "for"], required: ["arp", "from"])
    static let logExpectation = LabFileKeys(
        "logExpectation", ["log", "contains", "matches", "within"], required: ["log"])
    static let mailExpectation = LabFileKeys(
        "mailExpectation", ["mail", "to", "contains", "matches", "within"], required: ["mail"])
    static let sequenceExpectation = LabFileKeys(
        "sequenceExpectation", ["sequence", "within"], required: ["sequence"])
    static let outageExpectation = LabFileKeys(
        "outageExpectation", ["outage", "at-least", "at-most"],
        required: ["outage", "at-most"])
    static let latencyExpectation = LabFileKeys(
        "latencyExpectation", ["latency"] + LatencyLimit.words.map(\.word),
        required: ["latency"])
    static let neighbourExpectation = LabFileKeys(
        "neighbourExpectation", ["neighbour", "of", "is", "within", "for"],
        required: ["neighbour", "of", "is"])
    static let advertsExpectation = LabFileKeys(
        "advertsExpectation", ["adverts", "count", "at-least", "at-most", "for"],
        required: ["adverts"])
    static let inspectExpectation = LabFileKeys(
        "inspectExpectation", ["ip", "on", "path", "equals", "within", "for"],
        required: ["ip", "on", "path", "equals"])

    /// The tables of `expect`.
    static let expectations = [
        addressExpectation, stateExpectation, httpExpectation, tcpExpectation, udpExpectation,
        pingExpectation, arpExpectation, logExpectation, mailExpectation, sequenceExpectation,
        outageExpectation,
        latencyExpectation, neighbourExpectation, advertsExpectation, inspectExpectation,
    ]

    static let advertPattern = LabFileKeys("advertPattern", ["from", "priority"])

    static let check = LabFileKeys(
        "check",
        [
            "one-owner", "owned", "adverts", "dead-are-silent", "priority",
            "no-duplicate-address", "survives", "owners-agree", "able-take-over",
        ])
    static let oneOwnerCheck = LabFileKeys(
        "oneOwnerCheck", ["vip", "overlap"], required: ["vip"])
    static let ownedCheck = LabFileKeys("ownedCheck", ["vip", "gap"], required: ["vip", "gap"])
    static let advertsCheck = LabFileKeys("advertsCheck", ["router", "gap"], required: ["gap"])
    static let priorityCheck = LabFileKeys(
        "priorityCheck", ["of", "from", "to"], required: ["from", "to"])

    /// The tables of the checks that are mappings.
    static let checks = [oneOwnerCheck, ownedCheck, advertsCheck, priorityCheck]
}
