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
        "lab", ["name", "networks", "nodes", "links", "scenarios"], required: ["name", "nodes"])
    static let network = LabFileKeys("network", ["subnet", "subnets", "mtu"])
    static let node = LabFileKeys(
        "node",
        ["interfaces", "sysctls", "routes", "gateway", "environment", "files", "services"])
    static let interface = LabFileKeys(
        "interface", ["network", "address", "addresses", "mac", "mtu"])
    static let route = LabFileKeys("route", ["to", "via", "dev"], required: ["to"])
    static let file = LabFileKeys("file", ["from", "text", "mode", "owner", "group"])
    static let service = LabFileKeys(
        "service", ["kind", "config", "command", "arguments", "ready", "restart", "autostart"],
        required: ["kind"])
    static let readiness = LabFileKeys("readiness", ["port", "file", "command"])
    static let link = LabFileKeys(
        "link", ["endpoints", "addresses", "mtu"], required: ["endpoints"])
    static let scenario = LabFileKeys(
        "scenario", ["summary", "description", "files", "probes", "steps"], required: ["steps"])
    static let probe = LabFileKeys(
        "probe", ["from", "http", "every", "timeout"], required: ["from", "http"])
    static let step = LabFileKeys(
        "step", ["stop", "start", "restart", "kill", "exec", "wait", "expect"])
    static let execution = LabFileKeys(
        "execution", ["on", "command", "status"], required: ["on", "command"])
    static let addressExpectation = LabFileKeys(
        "addressExpectation", ["vip", "on", "absent", "within", "for"], required: ["vip"])
    static let httpExpectation = LabFileKeys(
        "httpExpectation", ["http", "from", "body", "within", "for"], required: ["http", "from"])
    static let outageExpectation = LabFileKeys(
        "outageExpectation", ["outage", "at-most"], required: ["outage", "at-most"])

    /// All tables.
    static let all = [
        lab, network, node, interface, route, file, service, readiness, link, scenario, probe,
        step, execution, addressExpectation, httpExpectation, outageExpectation,
    ]
}
