import LinuxSystem
import NetworkTypes

/// The kernel's parameters (sysctls) that the agent changes, and what they were.
///
/// What it has changed it puts back, where nobody has changed it again meanwhile. keepalived leaves
/// `arp_ignore` and `arp_filter` of a VMAC's base as it set them.
final class KernelParameters {
    /// Where the files are: /proc/sys, or somewhere else in tests.
    private let folder: String
    private let log: Log
    /// What was changed: parameter, what it was, what it was set to, and how many need it so.
    private var changes: [String: Change] = [:]
    private var order: [String] = []

    private struct Change {
        var before: Int
        var after: Int
        var users: Int
    }

    init(folder: String = "/proc/sys", log: Log) {
        self.folder = folder
        self.log = log
    }

    /// A parameter of an interface, or of `all` or `default`.
    static func ipv4(_ interface: String, _ name: String) -> String {
        "net/ipv4/conf/\(interface)/\(name)"
    }

    /// A parameter of an interface for IPv6.
    static func ipv6(_ interface: String, _ name: String) -> String {
        "net/ipv6/conf/\(interface)/\(name)"
    }

    /// What a parameter is; nil where it cannot be read, as those of an interface that is gone.
    func value(_ parameter: String) -> Int? {
        guard let text = try? FileSystem.readText("\(folder)/\(parameter)") else { return nil }
        return Int(text.prefix { $0 != "\n" })
    }

    /// Sets a parameter for good: one of an interface that the agent made.
    func set(_ parameter: String, to value: Int) {
        do throws(SystemError) {
            try FileSystem.writeParameter("\(value)", to: "\(folder)/\(parameter)")
        } catch {
            log.line("\(error)")
        }
    }

    /// Sets a parameter until as many have released it as have asked for it.
    ///
    /// - Returns: what it was, where this changed it.
    @discardableResult
    func borrow(_ parameter: String, as value: Int) -> Int? {
        if var change = changes[parameter] {
            change.users += 1
            changes[parameter] = change
            return nil
        }
        guard let before = self.value(parameter) else {
            log.line("Unable to read sysctl \(Self.name(parameter))")
            return nil
        }
        guard before != value else { return nil }
        set(parameter, to: value)
        changes[parameter] = Change(before: before, after: value, users: 1)
        order.append(parameter)
        return before
    }

    /// Takes back one ``borrow(_:as:)``; the last one restores what was there before.
    func release(_ parameter: String) {
        guard var change = changes[parameter] else { return }
        change.users -= 1
        changes[parameter] = change
        if change.users == 0 { restore(parameter) }
    }

    /// Restores everything, the last change first: at the end.
    func restoreAll() {
        let all = Self.ipv4("all", "rp_filter")
        if let change = changes[all], value(all) == change.after { note(all, nil, change.before) }
        for parameter in order.reversed() { restore(parameter) }
    }

    private func restore(_ parameter: String) {
        guard let change = changes.removeValue(forKey: parameter) else { return }
        order.removeAll { $0 == parameter }
        // Gone with its interface, or changed by somebody who knows better.
        guard value(parameter) == change.after else { return }
        set(parameter, to: change.before)
    }

    // MARK: Single parameters

    /// `promote_secondaries`: when an interface loses the first address of a network, the next one
    /// of that network becomes the first, instead of all of them going. Taken back with
    /// ``stopPromotingSecondaries(on:)``.
    func promoteSecondaries(on interface: InterfaceName) {
        borrow(Self.ipv4(interface.text, "promote_secondaries"), as: 1)
    }

    /// Takes one ``promoteSecondaries(on:)`` back.
    func stopPromotingSecondaries(on interface: InterfaceName) {
        release(Self.ipv4(interface.text, "promote_secondaries"))
    }

    /// `disable_local_igmp`: no membership reports for groups that never leave the link
    /// (224.0.0/24), which switches forward anyway. Until ``restoreAll()``.
    func disableLocalIGMP() { borrow("net/ipv4/igmp_link_local_mcast_reports", as: 0) }

    // MARK: Reverse path filters

    /// Lets interfaces have weaker reverse path filters than `all`, without weakening any that is
    /// there: a virtual router's packets come in by one interface and belong to another.
    ///
    /// The kernel takes the stricter of `all` and the interface's own. So what `all` is goes to
    /// every interface that is less strict, and to `default` for those to come, and `all` becomes
    /// 0.
    func moveReversePathFilter(_ interfaces: Set<InterfaceName>) {
        let all = Self.ipv4("all", "rp_filter")
        guard let strictness = value(all), strictness > 0 else { return }
        // First the interfaces: `default` reaches those that nobody has set anything of yet, and
        // what they were would be lost. The loopback is left alone, as keepalived leaves it.
        for name in interfaces.map(\.text).sorted() + ["default"] where name != "lo" {
            let parameter = Self.ipv4(name, "rp_filter")
            guard let own = value(parameter), own < strictness else { continue }
            if name == "default" { note(parameter, own, strictness) }
            borrow(parameter, as: strictness)
        }
        note(all, strictness, 0)
        borrow(all, as: 0)
    }

    private func note(_ parameter: String, _ before: Int?, _ after: Int) {
        let change =
            before.map { "setting sysctl \(Self.name(parameter)) from \($0)" }
            ?? "resetting sysctl \(Self.name(parameter))"
        log.line("NOTICE: \(change) to \(after)")
    }

    /// The name sysctl(8) knows it by.
    private static func name(_ parameter: String) -> String {
        // A dot in an interface's name is a slash there.
        String(
            parameter.map { character in
                switch character {
                case "/": "."
                case ".": "/"
                default: character
                }
            })
    }
}
