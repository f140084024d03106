/// A moment in whole seconds since 1970, UTC, as HTTP's date fields carry it.
struct HTTPDate: Hashable, Comparable, Sendable {
    /// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
    var seconds: Int64

    init(seconds: Int64) { self.seconds = seconds }

    static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }

    /// The form every sender writes: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
    var fieldValue: String {
        let date = CivilDate(seconds: seconds)
        return "\(Self.weekdays[date.weekday]), \(twoDigits(date.day)) "
            + "\(Self.months[date.month - 1]) \(fourDigits(date.year)) \(date.time) GMT"
    }

    /// The form of the Common Log Format: `06/Nov/1994:08:49:37 +0000`.
    var logStamp: String {
        let date = CivilDate(seconds: seconds)
        return "\(twoDigits(date.day))/\(Self.months[date.month - 1])/\(fourDigits(date.year))"
            + ":\(date.time) +0000"
    }

    /// Parses the three forms a recipient must accept (RFC 9110 §5.6.7); nil for anything else.
    ///
    /// The weekday is not compared with the date: a wrong one says nothing about which to believe.
    ///
    /// - Parameter now: resolves the two-digit year of RFC 850's form, which names the last year
    ///   with these digits that is not more than 50 years ahead.
    init?(fieldValue: String, now: HTTPDate) {
        let words = fieldValue.split(separator: " ")
        let parsed: CivilDate?
        switch words.count {
        case 6 where words[5] == "GMT" && words[0].hasSuffix(","):
            // Sun, 06 Nov 1994 08:49:37 GMT
            parsed = CivilDate(day: words[1], month: words[2], year: words[3], time: words[4])
        case 4 where words[3] == "GMT" && words[0].hasSuffix(","):
            // Sunday, 06-Nov-94 08:49:37 GMT
            let parts = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2].count == 2, let digits = Int(parts[2]) else {
                return nil
            }
            let present = CivilDate(seconds: now.seconds).year
            var year = present - present % 100 + 100 + digits
            while year > present + 50 { year -= 100 }
            parsed = CivilDate(
                day: parts[0], month: parts[1], year: Substring(fourDigits(year)), time: words[2])
        case 5:
            // Sun Nov  6 08:49:37 1994
            parsed = CivilDate(day: words[2], month: words[1], year: words[4], time: words[3])
        default:
            parsed = nil
        }
        guard let parsed else { return nil }
        seconds = parsed.seconds
    }

    fileprivate static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

/// A date of the Gregorian calendar with its time of day, UTC.
private struct CivilDate {
    var year: Int
    /// 1 to 12.
    var month: Int
    var day: Int
    /// Seconds since midnight.
    var secondOfDay: Int

    private static let secondsPerDay: Int64 = 86400
    /// Days from 0000-03-01 to 1970-01-01.
    private static let epochDay = 719_468
    /// Days of the 400 years after which the calendar repeats.
    private static let daysPerEra = 146_097

    init(seconds: Int64) {
        let (days, rest) = Self.floorDivision(seconds, by: Self.secondsPerDay)
        secondOfDay = Int(rest)
        // Years begin in March here, so that the day a leap year adds is its last.
        let shifted = Int(days) + Self.epochDay
        let era = (shifted >= 0 ? shifted : shifted - Self.daysPerEra + 1) / Self.daysPerEra
        let dayOfEra = shifted - era * Self.daysPerEra
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// From the words of a date field; nil where one is out of its range.
    init?(day: Substring, month: Substring, year: Substring, time: Substring) {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false)
        guard let monthIndex = HTTPDate.months.firstIndex(of: String(month)),
            year.count == 4, let year = Self.number(year), (1...2).contains(day.count),
            let day = Self.number(day), clock.count == 3, clock.allSatisfy({ $0.count == 2 }),
            let hour = Self.number(clock[0]), hour < 24,
            let minute = Self.number(clock[1]), minute < 60,
            // 60 is a leap second.
            let second = Self.number(clock[2]), second <= 60
        else { return nil }
        self.year = year
        self.month = monthIndex + 1
        self.day = day
        secondOfDay = hour * 3600 + minute * 60 + second
        guard day >= 1, day <= Self.days(ofMonth: self.month, year: year) else { return nil }
    }

    var seconds: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * Self.daysPerEra + dayOfEra - Self.epochDay
        return Int64(days) * Self.secondsPerDay + Int64(secondOfDay)
    }

    /// 0 is Sunday; the epoch's first day was a Thursday.
    var weekday: Int {
        let days = Self.floorDivision(seconds, by: Self.secondsPerDay).quotient
        return Int(Self.floorDivision(days + 4, by: 7).remainder)
    }

    var time: String {
        "\(twoDigits(secondOfDay / 3600)):\(twoDigits(secondOfDay / 60 % 60))"
            + ":\(twoDigits(secondOfDay % 60))"
    }

    private static func days(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Digits only: `Int` would take a sign too.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            ? Int(text) : nil
    }

    private static func floorDivision(
        _ dividend: Int64, by divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

private func fourDigits(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 4 - String(number).count)) + String(number)
}
