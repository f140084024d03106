import NetworkTypes

/// A line of the log before it has a form.
struct LogRecord: Equatable {
    /// How much it matters.
    enum Level: String {
        case info
        /// Printed with `--log-detail` only.
        case detail
    }

    var level: Level
    /// The instance it is about.
    var instance: String?
    /// What is said, without the instance's name in front.
    var message: String

    /// A line in keepalived's form, with `(INSTANCE) ` in front where it is about one; a
    /// diagnostic has its place in the configuration there, and keeps it.
    init(_ text: String, _ level: Level) {
        self.level = level
        message = text
        guard text.hasPrefix("("), let end = text.firstRange(of: ") ") else { return }
        let name = text[text.index(after: text.startIndex)..<end.lowerBound]
        guard !name.isEmpty, !name.contains("("), name.firstRange(of: "Line ") == nil else {
            return
        }
        instance = String(name)
        message = String(text[end.upperBound...])
    }

    /// The line as keepalived logs it.
    var text: String { instance.map { "(\($0)) \(message)" } ?? message }

    /// One line of JSON: the time on the wall and since boot, level, instance and message.
    ///
    /// - Parameters:
    ///   - realtime: nanoseconds since 1970, written as RFC 3339 has it, in UTC.
    ///   - monotonic: CLOCK_MONOTONIC, written in seconds; not moved when the clock is set.
    func json(realtimeNanoseconds realtime: Int64, monotonic: MonotonicInstant) -> String {
        var json = JSONText()
        json.object { json in
            json.field("time", Self.timestamp(realtime))
            json.field("monotonic", literal: Self.seconds(monotonic.nanoseconds))
            json.field("level", level.rawValue)
            if let instance { json.field("instance", instance) }
            json.field("message", message)
        }
        return json.text
    }

    /// `2026-11-21T17:22:43.168068407Z`.
    private static func timestamp(_ nanoseconds: Int64) -> String {
        let (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        // Counted in years that begin in March, a leap day is the last of its year; 719 468 days
        // lie between 1 March of year 0 and 1970.
        let (era, day) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = [
            Text.padded(era * 400 + year + (month >= 10 ? 1 : 0), 4),
            Text.padded(month < 10 ? month + 3 : month - 9, 2),
            Text.padded(dayOfYear - (153 * month + 2) / 5 + 1, 2),
        ]
        let time = [rest / 3600, rest / 60 % 60, rest % 60].map { Text.padded($0, 2) }
        return date.joined(separator: "-") + "T" + time.joined(separator: ":")
            + ".\(Text.padded(fraction, 9))Z"
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        "\(nanoseconds / 1_000_000_000).\(Text.padded(nanoseconds % 1_000_000_000, 9))"
    }
}

extension StringProtocol {
    /// Where a text occurs first.
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            formIndex(after: &start)
        }
        return nil
    }
}
