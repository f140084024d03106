/// The announcement settings of a block, as far as they are written there.
struct AnnouncementDraft: Hashable, Sendable {
    var masterDelay: Duration?
    var masterRepeat: Int?
    var refreshInterval: Duration?
    var refreshRepeat: Int?
    var lowerPriorityDelay: Duration?
    var lowerPriorityRepeat: Int?

    /// One of the settings.
    enum Parameter: String {
        case masterDelay = "garp_master_delay"
        case masterRepeat = "garp_master_repeat"
        case refreshInterval = "garp_master_refresh"
        case refreshRepeat = "garp_master_refresh_repeat"
        case lowerPriorityDelay = "garp_lower_prio_delay"
        case lowerPriorityRepeat = "garp_lower_prio_repeat"

        /// The setting whose global keyword that is: the instance's after `vrrp_`.
        init?(globalKeyword: String) {
            guard globalKeyword.hasPrefix("vrrp_") else { return nil }
            self.init(rawValue: String(globalKeyword.dropFirst(5)))
        }
    }
}

extension Reading {
    /// The settings with the one that `value` gives, written as `name`; `prefix` is what keepalived
    /// puts before its messages.
    mutating func announcement(
        _ settings: AnnouncementDraft, with parameter: AnnouncementDraft.Parameter, _ value: Word,
        name: String, prefix: String
    ) -> AnnouncementDraft {
        var settings = settings
        func invalid() -> String { "\(prefix)\(name) '\(value.text)' invalid - ignoring" }
        let wholeSeconds = 0...4294
        switch parameter {
        case .masterDelay:
            guard let delay = integer(value, in: wholeSeconds, else: invalid()) else { break }
            settings.masterDelay = .seconds(delay)
        case .lowerPriorityDelay:
            guard let delay = integer(value, in: wholeSeconds, else: invalid()) else { break }
            settings.lowerPriorityDelay = .seconds(delay)
        case .refreshInterval:
            let interval = integer(
                value, in: 0...Int(UInt32.max),
                else: "\(prefix)Invalid \(name) '\(value.text)' - ignoring")
            settings.refreshInterval = .seconds(interval ?? 0)
        case .masterRepeat:
            settings.masterRepeat =
                packetCount(value, name: prefix + name, else: invalid()) ?? settings.masterRepeat
        case .refreshRepeat:
            settings.refreshRepeat =
                packetCount(value, name: prefix + name, else: invalid()) ?? settings.refreshRepeat
        case .lowerPriorityRepeat:
            // Zero is meant: no packets at all.
            settings.lowerPriorityRepeat =
                integer(
                    value, in: 0...Int(Int32.max),
                    else: "\(prefix)Invalid \(name) '\(value.text)'")
                ?? settings.lowerPriorityRepeat
        }
        return settings
    }
}
