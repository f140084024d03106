/// A moment as `journalctl --since` has it (systemd.time(7)).
enum JournalMoment: Equatable {
    /// That long ago: `-5min`, `1h 30min ago`, `now`.
    case ago(nanoseconds: Int64)
    /// A time of that many days ago, in hours, minutes, seconds: `today`, `yesterday`, `10:30`.
    case daysAgo(Int64, time: [Int])
    /// Year, month, day, hour, minute, second: `2026-11-22 10:30:05`.
    case date([Int])

    private static let nanosecondsPerDay: Int64 = 86_400 * 1_000_000_000

    /// Reads one; nil for what is none.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        switch words.first {
        case "now" where words.count == 1: self = .ago(nanoseconds: 0)
        case "today" where words.count == 1: self = .daysAgo(0, time: [0, 0, 0])
        case "yesterday" where words.count == 1: self = .daysAgo(1, time: [0, 0, 0])
        case let first? where first.hasPrefix("-"):
            guard let span = Self.span(text.dropFirst()) else { return nil }
            self = .ago(nanoseconds: span)
        case _? where words.last == "ago":
            guard let span = Self.span(words.dropLast().joined(separator: " ")[...]) else {
                return nil
            }
            self = .ago(nanoseconds: span)
        case let first? where words.count == 1 && first.contains(":"):
            guard let time = Self.time(first) else { return nil }
            self = .daysAgo(0, time: time)
        case let first? where words.count <= 2:
            guard let day = Self.numbers(first, separator: "-"), day.count == 3,
                (1...12).contains(day[1]), (1...31).contains(day[2]),
                let time = words.count == 2 ? Self.time(words[1]) : [0, 0, 0]
            else { return nil }
            self = .date(day + time)
        default: return nil
        }
    }

    /// Whether it is not after a stamp of CLOCK_MONOTONIC in nanoseconds.
    func isReached(by stamp: Int64, _ clock: WallClock) -> Bool {
        switch self {
        case .ago(let span): return stamp >= clock.nowNanoseconds - span
        case .daysAgo(let days, let time):
            let day = clock.date(clock.nowNanoseconds - days * Self.nanosecondsPerDay)
            return isReached(clock.date(stamp), [day.year, day.month, day.day] + time)
        case .date(let fields): return isReached(clock.date(stamp), fields)
        }
    }

    private func isReached(_ date: WallClock.Date, _ limit: [Int]) -> Bool {
        let fields = [date.year, date.month, date.day, date.hour, date.minute, date.second]
        return !fields.lexicographicallyPrecedes(limit)
    }

    /// Hours, minutes and seconds of `10:30` or `10:30:05`.
    private static func time(_ text: Substring) -> [Int]? {
        guard let numbers = numbers(text, separator: ":"), (2...3).contains(numbers.count),
            numbers[0] < 24, numbers.dropFirst().allSatisfy({ $0 < 60 })
        else { return nil }
        return numbers.count == 2 ? numbers + [0] : numbers
    }

    private static func numbers(_ text: Substring, separator: Character) -> [Int]? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.allSatisfy(\.isNumber) ? Int($0) : nil }
        return numbers.count == parts.count ? numbers : nil
    }

    private static let units: [Substring: Int64] = {
        let names: [(Int64, [Substring])] = [
            (1_000_000, ["ms", "msec"]),
            (1_000_000_000, ["", "s", "sec", "second", "seconds"]),
            (60_000_000_000, ["m", "min", "minute", "minutes"]),
            (3_600_000_000_000, ["h", "hr", "hour", "hours"]),
            (nanosecondsPerDay, ["d", "day", "days"]),
            (7 * nanosecondsPerDay, ["w", "week", "weeks"]),
        ]
        return Dictionary(
            uniqueKeysWithValues: names.flatMap { unit in unit.1.map { ($0, unit.0) } })
    }()

    /// Numbers with units, added up, in nanoseconds: `1h 30min`; seconds where no unit is given.
    private static func span(_ text: Substring) -> Int64? {
        var rest = text.drop { $0 == " " }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest[digits.endIndex...].drop { $0 == " " }
            let unit = rest.prefix { $0.isLetter }
            rest = rest[unit.endIndex...].drop { $0 == " " }
            guard let number = Int64(digits), let factor = units[unit] else { return nil }
            let (part, isTooLong) = number.multipliedReportingOverflow(by: factor)
            let (sum, overflows) = total.addingReportingOverflow(part)
            if isTooLong || overflows { return nil }
            total = sum
        }
        return total
    }
}
