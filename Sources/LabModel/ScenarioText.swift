import NetworkTypes

extension Scenario {
    /// The scenario in the language of lab files, as it stands under its name there: what
    /// ``Lab/decodeScenario(yaml:name:file:readFile:)`` makes the same scenario of again, but for
    /// the lines of its steps and the sources of its files.
    ///
    /// - Parameters:
    ///   - header: comments before everything, a line each.
    ///   - comments: comments before steps, by their places from 0.
    /// - Throws: ``ScenarioTextError`` for a file that is no text.
    public func yaml(
        header: [String] = [], comments: [Int: String] = [:]
    ) throws(ScenarioTextError) -> String {
        var lines = header.map { "# \($0)" }
        if let summary { lines.append("summary: \(YAMLText.text(summary).line)") }
        if !needs.isEmpty { lines.append("needs: \(YAMLText.texts(needs.map(\.rawValue)).line)") }
        if !files.isEmpty {
            lines.append("files:")
            guard case .mapping(let nodes) = try files.text else { return "" }
            for node in nodes { lines.append("  \(node.line)") }
        }
        if !probes.isEmpty {
            lines.append("probes:")
            for probe in probes {
                lines.append("  \(YAMLText.text(probe.name).line): \(probe.text.line)")
            }
        }
        if !checks.isEmpty {
            lines.append("checks:")
            for check in checks { lines.append("  \(check.text.element)") }
        }
        lines.append("steps:")
        for (index, step) in steps.enumerated() {
            if let comment = comments[index] { lines.append("  # \(comment)") }
            lines.append("  \(try step.text.element)")
        }
        if !cleanup.isEmpty {
            lines.append("cleanup:")
            for step in cleanup { lines.append("  \(try step.text.element)") }
        }
        if let sweep {
            let ends = [sweep.from, sweep.through].map { YAMLText.duration($0).line }
            lines.append(
                "sweep: "
                    + YAMLText.fields(
                        ("over", .text(ends.joined(separator: ".."))), ("by", .duration(sweep.step))
                    ).line)
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

/// A scenario that cannot be written as a text.
public struct ScenarioTextError: Error, Equatable, CustomStringConvertible {
    /// The file in the node that is no text.
    public var path: String

    public var description: String {
        "the scenario lays \(path) into a node, which is no text (UTF-8)"
    }
}

extension Step {
    var text: YAMLText {
        get throws(ScenarioTextError) {
            guard case .mapping(var fields) = try action.text else {
                preconditionFailure("an action is a mapping from its verb")
            }
            if let clock, case .control(_, let target) = action {
                fields[0].value = .fields(
                    ("service", .text(target.description)), ("clock", .text(clock.description)))
            }
            if let trigger {
                fields.append(.init(key: "at", value: .text(trigger.description)))
            }
            if let lasting { fields.append(.init(key: "for", value: .duration(lasting))) }
            return .mapping(fields)
        }
    }
}

extension Step.Action {
    /// A mapping with the verb as its only key.
    fileprivate var text: YAMLText {
        get throws(ScenarioTextError) {
            switch self {
            case .control(let verb, let target):
                return .fields((verb.rawValue, .text(target.description)))
            case .fault(let fault): return fault.text
            case .execute(let node, let command, let status, let output):
                let execution = YAMLText.fields(
                    ("on", .text(node)), ("command", .texts(command)),
                    ("status", status == 0 ? nil : .word(String(status))),
                    (
                        "output",
                        output.map { match in
                            if case .equals(let text) = match { .text(text) } else { match.text }
                        }
                    ))
                return .fields(("exec", execution))
            case .edit(let files): return .fields(("edit", try files.text))
            case .parallel(let parts):
                var texts: [YAMLText] = []
                for part in parts { texts.append(try part.text) }
                return .fields(("parallel", .list(texts)))
            case .wait(let duration): return .fields(("wait", .duration(duration)))
            case .expect(let expectation): return .fields(("expect", expectation.text))
            }
        }
    }
}

extension Fault {
    /// As a step has it.
    fileprivate var text: YAMLText {
        func link(_ endpoint: Endpoint, _ state: String, _ direction: Direction? = nil) -> YAMLText
        {
            .fields(
                (
                    "link",
                    .fields(
                        ("port", .text(endpoint.description)), ("state", .text(state)),
                        ("direction", direction.map { .text($0.rawValue) }))
                ))
        }
        switch self {
        case .linkDown(let endpoint): return link(endpoint, "down")
        case .blackhole(let endpoint, .both): return link(endpoint, "blackhole")
        case .blackhole(let endpoint, let direction):
            return link(endpoint, "blackhole", direction)
        case .linkUp(let endpoint): return link(endpoint, "up")
        case .flap(let endpoint, let flap): return .fields(("link", flap.text(of: endpoint)))
        case .plug(let endpoint, let network?):
            return .fields(
                (
                    "plug",
                    .fields(
                        ("port", .text(endpoint.description)), ("network", .text(network.text)))
                ))
        case .plug(let endpoint, nil): return .fields(("plug", .text(endpoint.description)))
        case .unplug(let endpoint): return .fields(("unplug", .text(endpoint.description)))
        case .cut(let senders, let receivers):
            return .fields(("cut", .fields(("from", .texts(senders)), ("to", .texts(receivers)))))
        case .impair(let endpoint, let impairment):
            return .fields(("impair", .text("\(endpoint) \(impairment)")))
        case .partition(let groups):
            return .fields(("partition", .list(groups.map(YAMLText.texts))))
        case .limit(let node, let limits):
            return .fields(("limit", .text("\(node) \(limits)")))
        case .imposter(let network, let imposture):
            return .fields(("imposter", .text("\(network) \(imposture)")))
        case .clock: preconditionFailure("a clock is given with a start")
        case .heal(let endpoint):
            return .fields(("heal", .text(endpoint?.description ?? "all")))
        }
    }
}

extension Flap {
    /// As `link` has it.
    fileprivate func text(of endpoint: Endpoint) -> YAMLText {
        let isWhole = dutyPercent == dutyPercent.rounded()
        let duty = isWhole ? "\(Int(dutyPercent))%" : "\(dutyPercent)%"
        return .fields(
            ("port", .text(endpoint.description)), ("state", .text("flap")),
            ("period", .duration(period)), ("duty", .text(duty)),
            ("count", count.map { .word(String($0)) }))
    }
}

extension [Scenario.FileOverride] {
    /// A mapping from nodes to mappings from paths.
    fileprivate var text: YAMLText {
        get throws(ScenarioTextError) {
            var nodes: [YAMLText.Field] = []
            for override in self {
                let field = YAMLText.Field(
                    key: override.file.path, value: try override.file.text)
                if let index = nodes.firstIndex(where: { $0.key == override.node }),
                    case .mapping(let fields) = nodes[index].value
                {
                    nodes[index].value = .mapping(fields + [field])
                } else {
                    nodes.append(.init(key: override.node, value: .mapping([field])))
                }
            }
            return .mapping(nodes)
        }
    }
}

extension NodeFile {
    fileprivate var text: YAMLText {
        get throws(ScenarioTextError) {
            guard let content = String(validating: contents, as: UTF8.self) else {
                throw ScenarioTextError(path: path)
            }
            let digits = String(mode, radix: 8)
            let isUsual = mode == 0o644
            let zeros = String(repeating: "0", count: Swift.max(0, 4 - digits.count))
            return .fields(
                // A text is never plain here: an empty one has to be quoted, too.
                ("text", .text(content)),
                ("mode", isUsual ? nil : .text(zeros + digits)),
                ("owner", owner.map(YAMLText.text)), ("group", group.map(YAMLText.text)))
        }
    }
}

extension Probe {
    /// Without its name.
    fileprivate var text: YAMLText {
        .fields(
            ("from", .text(node)), request.field, ("keep", keepsOpen ? .text("open") : nil),
            ("every", .duration(interval)), ("timeout", .duration(timeout)))
    }
}

extension ProbeRequest {
    /// The key that says how, and what is asked.
    var field: (String, YAMLText?) {
        switch self {
        case .http(let url): ("http", .text(url.description))
        case .tcp(let server): ("tcp", .text(server.description))
        case .udp(let server): ("udp", .text(server.description))
        case .ping(let address): ("ping", .text(address.description))
        case .arp(let address): ("arp", .text(address.description))
        }
    }
}

extension TextMatch {
    /// As a mapping; only `exec` has the text itself for one that is to be equalled.
    fileprivate var text: YAMLText { .fields(field) }

    /// Its key, and the text or pattern.
    var field: (String, YAMLText?) {
        switch self {
        case .equals(let text): ("equals", .text(text))
        case .contains(let part): ("contains", .text(part))
        case .matches(let pattern): ("matches", .text(pattern))
        }
    }
}
