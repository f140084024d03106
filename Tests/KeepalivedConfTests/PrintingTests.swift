import KeepalivedConf
import NetworkTypes
import Testing

@Suite("Canonical text")
struct PrintingTests {
    /// A value as text, all that is stored in it, but for places in files.
    static func description(_ value: Any) -> String {
        if value is SourcePosition { return "" }
        let mirror = Mirror(reflecting: value)
        guard !mirror.children.isEmpty, mirror.displayStyle != .optional else {
            if let child = mirror.children.first { return description(child.value) }
            return "\(value)"
        }
        var parts = mirror.children.map { "\($0.label ?? "")=\(description($0.value))" }
        if mirror.displayStyle == .dictionary { parts.sort() }
        return "\(type(of: value))(\(parts.joined(separator: ",")))"
    }

    /// What printing and parsing again makes of a configuration, place by place.
    static func expectRoundTrip(_ configuration: Configuration, _ what: String) {
        let text = configuration.canonicalText
        let again = Configuration.parse(text, file: "again.conf").configuration
        func list(_ configuration: Configuration) -> [String] {
            Mirror(reflecting: configuration).children
                .filter { !["virtualServers", "virtualServerGroups"].contains($0.label) }
                .flatMap { child in
                    let mirror = Mirror(reflecting: child.value)
                    return mirror.children.filter { $0.label != "lvs" }.map {
                        "\(child.label ?? "").\($0.label ?? ""): \(description($0.value))"
                    }
                }
        }
        let (before, after) = (list(configuration), list(again))
        for (one, other) in zip(before, after) where one != other {
            let at = zip(one, other).prefix { $0 == $1 }.count
            let shown = [one, other].map { $0.dropFirst(max(at - 60, 0)).prefix(160) }
            Issue.record("\(what): \(shown[0])\n -> \(shown[1])")
        }
        #expect(before.count == after.count, "\(what)\n\(text)")
        #expect(again.canonicalText == text, "\(what): printing settles")
    }

    @Test(
        "a recorded file printed and read again is the same configuration",
        arguments: RecordedCase.names(in: 1..<1000))
    func recorded(_ name: String) {
        let recorded = RecordedCase(name)
        let parsed = Configuration.parse(
            recorded.text, file: "\(name).conf", context: recorded.context,
            files: .onDisk(at: RecordedCase.folder))
        Self.expectRoundTrip(parsed.configuration, name)
    }

    @Test("a random file printed and read again is the same configuration", arguments: 1...50)
    func random(seed: Int) {
        var generator = ConfigurationGenerator(seed: UInt64(seed))
        let parsed = Configuration.parse(generator.file(), file: "seed \(seed)")
        Self.expectRoundTrip(parsed.configuration, "seed \(seed)")
    }

    /// What cannot be other than it is in a file that has everything else.
    private static let constant: Set<String> = [
        "VRRPInstance.configurationFaults", "VirtualInterface.interfaceAddress",
        "VirtualInterface.mode", "VirtualInterface.kind", "VirtualInterface.address",
        "VRRPInstance.family", "Configuration.virtualServers", "Configuration.virtualServerGroups",
        // What is left out is not printed.
        "Configuration.removedScripts",
    ]

    @Test("the generated files have every setting of the model, so that none is forgotten here")
    func completeness() {
        var seen: [String: Set<String>] = [:]
        func collect(_ value: Any) {
            let mirror = Mirror(reflecting: value)
            for child in mirror.children {
                if mirror.displayStyle == .struct, let label = child.label,
                    "\(String(reflecting: type(of: value)))".hasPrefix("KeepalivedConf.")
                {
                    seen["\(type(of: value)).\(label)", default: []]
                        .insert(Self.description(child.value))
                }
                collect(child.value)
            }
        }
        collect(Configuration())
        // A dictionary shows only what is in it.
        var missing: Set<KeyPath<VRRPInstance.NotifyCommands, Command?>> = [
            \.any, \.master, \.backup, \.fault, \.stop, \.deleted, \.masterReceivedLowerPriority,
        ]
        for seed in [nil] + (1...40).map({ UInt64($0) }) as [UInt64?] {
            var generator = ConfigurationGenerator(seed: seed)
            let parsed = Configuration.parse(generator.file(), file: "k.conf").configuration
            collect(parsed)
            for notify in parsed.instances.map(\.notify) {
                missing = missing.filter { notify[keyPath: $0] == nil }
            }
        }
        #expect(missing.isEmpty)
        let constant = seen.filter { $0.value.count < 2 }.map(\.key).filter {
            !$0.hasPrefix("SourcePosition.") && !$0.lowercased().hasSuffix("position")
                // As of virtual servers, nothing of it is printed.
                && !$0.hasPrefix("LVSDefinitions.")
        }
        #expect(Set(constant).subtracting(Self.constant) == [])
        #expect(seen.count > 150)
    }
}
