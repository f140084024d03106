import CLinux
import Glibc
package import NodeProtocol

/// How units are named on command lines: `httpd` and `httpd.service` are the same.
package enum UnitName {
    /// The suffixes of what systemd knows beside services; of these, nodes have none.
    private static let otherSuffixes = [
        ".socket", ".target", ".timer", ".mount", ".path", ".slice", ".scope", ".device", ".swap",
        ".automount",
    ]

    /// A unit's whole name, as systemd prints it.
    static func whole(_ word: String) -> String {
        let isWhole = word.hasSuffix(".service") || otherSuffixes.contains(where: word.hasSuffix)
        return isWhole ? word : "\(word).service"
    }

    /// Whether a word is a shell pattern, which means units by their whole names.
    static func isPattern(_ word: String) -> Bool { word.contains { "*?[".contains($0) } }

    /// Words with each pattern replaced by the names of what it matches, if anything.
    package static func expand(_ words: [String], among units: [UnitReport]) -> [String] {
        words.flatMap { word in
            guard isPattern(word) else { return [word] }
            return units.map(\.wholeName).filter { matches($0, word) }
        }
    }

    /// Whether a unit's whole name is what a pattern, or a name, means.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        fnmatch(whole(pattern), name, 0) == 0 || fnmatch(pattern, name, 0) == 0
    }

    /// The unit that a word means, by its name or an alias.
    static func find(_ word: String, among units: [UnitReport]) -> UnitReport? {
        let name = word.hasSuffix(".service") ? String(word.dropLast(".service".count)) : word
        return units.first { $0.name == name } ?? units.first { $0.aliases.contains(name) }
    }
}

extension UnitReport {
    /// Its whole name.
    var wholeName: String { UnitName.whole(name) }

    /// systemd's UnitFileState=.
    var enablement: String { isEnabled ? "enabled" : "disabled" }

    /// Whether it runs, or is about to.
    var isUp: Bool {
        switch phase {
        case .activating, .active, .deactivating, .restarting: true
        case .inactive, .failed: false
        }
    }

    /// systemd's ActiveState=.
    var activeState: String {
        switch phase {
        case .inactive: "inactive"
        case .activating, .restarting: "activating"
        case .active: "active"
        case .deactivating: "deactivating"
        case .failed: "failed"
        }
    }

    /// systemd's SubState= of a service.
    var subState: String {
        switch phase {
        case .inactive: "dead"
        case .activating: "start"
        case .restarting: "auto-restart"
        case .active: "running"
        case .deactivating: "stop-sigterm"
        case .failed: "failed"
        }
    }

    /// systemd's Result= of a service.
    var result: String {
        guard phase == .failed || phase == .restarting else { return "success" }
        // However it has ended, it was us who killed it.
        if let failure, [Self.notReady, Self.notStopped].contains(where: failure.hasPrefix) {
            return "timeout"
        }
        return switch end {
        case nil: "resources"
        case .signalled?: "signal"
        case .exited(0)?: "protocol"
        case .exited?: "exit-code"
        }
    }
}
