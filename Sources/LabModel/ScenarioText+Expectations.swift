import NetworkTypes

// Expectations and checks as a lab file has them.

extension Expectation {
    var text: YAMLText {
        guard case .mapping(var fields) = condition.text else {
            preconditionFailure("a condition is a mapping")
        }
        if let within { fields.append(.init(key: "within", value: .duration(within))) }
        if let holding { fields.append(.init(key: "for", value: .duration(holding))) }
        if let settling { fields.append(.init(key: "settled", value: .duration(settling))) }
        return .mapping(fields)
    }
}

extension Expectation.Condition {
    fileprivate var text: YAMLText {
        switch self {
        case .address(let address, let nodes):
            return .fields(
                ("vip", .text(address.description)), ("on", nodes.isEmpty ? nil : .nodes(nodes)),
                ("absent", nodes.isEmpty ? .word("true") : nil))
        case .addressOnOne(let address, let nodes):
            return .fields(("vip", .text(address.description)), ("one-of", .nodes(nodes)))
        case .state(let state, let router, let nodes):
            return .fields(
                ("state", .text(state.rawValue)), ("on", .nodes(nodes)),
                ("router", router.map(YAMLText.text)))
        case .answer(let request, let node, let answer):
            return .fields(request.field, ("from", .text(node)), answer.field)
        case .log(let target, let match):
            return .fields(("log", .text(target.description)), match.field)
        case .mail(let target, let pattern):
            return .fields(
                ("mail", .text(target.description)), ("to", pattern.user.map(YAMLText.text)),
                pattern.subject?.field ?? ("contains", nil))
        case .sequence(let patterns):
            return .fields(("sequence", .texts(patterns.map(\.description))))
        case .outage(let probe, let least, let most):
            return .fields(
                ("outage", .text(probe)), ("at-least", least.map(YAMLText.duration)),
                ("at-most", .duration(most)))
        case .latency(let probe, let limits):
            let fields = limits.map {
                YAMLText.Field(key: $0.word, value: .duration($0.atMost))
            }
            return .mapping([.init(key: "latency", value: .text(probe))] + fields)
        case .neighbour(let address, let client, let node):
            return .fields(
                ("neighbour", .text(address.description)), ("of", .text(client)),
                ("is", .text(node)))
        case .adverts(let pattern, let range):
            let isExact = range.atMost == range.atLeast
            return .fields(
                (
                    "adverts",
                    .fields(
                        ("from", pattern.node.map(YAMLText.text)),
                        ("priority", pattern.priority.map { .word(String($0)) }))
                ),
                ("count", isExact ? .word(String(range.atLeast)) : nil),
                ("at-least", isExact ? nil : .word(String(range.atLeast))),
                ("at-most", isExact ? nil : range.atMost.map { .word(String($0)) }))
        case .inspect(let node, let arguments, let path, let text):
            return .fields(
                ("ip", .texts(arguments)), ("on", .text(node)),
                ("path", .text(path.description)), ("equals", .text(text)))
        }
    }
}

extension YAMLText {
    /// One node, or the list of several.
    fileprivate static func nodes(_ nodes: [String]) -> YAMLText {
        nodes.count == 1 ? .text(nodes[0]) : .texts(nodes)
    }
}

extension Answer {
    fileprivate var field: (String, YAMLText?) {
        switch self {
        case .ok: ("outcome", nil)
        case .body(let body): ("body", .text(body))
        case .status(let status): ("status", .word(String(status)))
        case .refused, .timedOut, .unreachable:
            ("outcome", Self.outcomes.first { $0.answer == self }.map { .text($0.word) })
        }
    }
}

extension Check {
    var text: YAMLText {
        switch rule {
        case .oneOwner(let address, let overlap):
            .fields(
                (
                    "one-owner",
                    overlap == Self.defaultOverlap
                        ? .text(address.description)
                        : .fields(
                            ("vip", .text(address.description)), ("overlap", .duration(overlap)))
                ))
        case .owned(let address, let gap):
            .fields(
                ("owned", .fields(("vip", .text(address.description)), ("gap", .duration(gap)))))
        case .advertised(let router, let gap):
            .fields(
                (
                    "adverts",
                    .fields(("router", router.map(YAMLText.text)), ("gap", .duration(gap)))
                ))
        case .deadAreSilent: .fields(("dead-are-silent", .word("true")))
        case .priority(let node, let range):
            .fields(
                (
                    "priority",
                    .fields(
                        ("of", node.map(YAMLText.text)),
                        ("from", .word(String(range.lowerBound))),
                        ("to", .word(String(range.upperBound))))
                ))
        case .noDuplicateAddress: .fields(("no-duplicate-address", .word("true")))
        case .survives(let probe): .fields(("survives", .text(probe)))
        case .ownersAgree: .fields(("owners-agree", .word("true")))
        case .ableTakeOver: .fields(("able-take-over", .word("true")))
        }
    }
}
