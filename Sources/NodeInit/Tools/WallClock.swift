import CLinux
import Glibc
import LinuxSystem
import NetworkTypes

/// What the tools know of the time: how the monotonic clock, by which everything is stamped, stands
/// to the calendar.
package struct WallClock {
    /// A moment of the calendar, in the machine's time zone.
    package struct Date: Equatable {
        var year: Int
        /// From 1.
        var month: Int
        var day: Int
        var hour: Int
        var minute: Int
        var second: Int
        /// From Sunday, which is 0.
        var weekday: Int
        /// The zone's abbreviation: `UTC`.
        var zone: String

        package init(
            year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, weekday: Int,
            zone: String
        ) {
            self.year = year
            self.month = month
            self.day = day
            self.hour = hour
            self.minute = minute
            self.second = second
            self.weekday = weekday
            self.zone = zone
        }
    }

    /// CLOCK_MONOTONIC's present, in nanoseconds.
    package var nowNanoseconds: Int64
    /// The calendar at a stamp of CLOCK_MONOTONIC in nanoseconds.
    var date: (Int64) -> Date

    static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    package init(nowNanoseconds: Int64, date: @escaping (Int64) -> Date) {
        self.nowNanoseconds = nowNanoseconds
        self.date = date
    }

    /// The machine's clocks, as they stand now.
    init() {
        let offset = MonotonicClock.realtimeOffset().nanoseconds
        self.init(nowNanoseconds: MonotonicClock.now.nanoseconds) { stamp in
            var seconds = time_t((stamp - offset) / 1_000_000_000)
            var parts = tm()
            localtime_r(&seconds, &parts)
            return Date(
                year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1,
                day: Int(parts.tm_mday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min),
                second: Int(parts.tm_sec), weekday: Int(parts.tm_wday),
                zone: parts.tm_zone.map { String(cString: $0) } ?? "")
        }
    }

    /// A stamp as `systemctl status` writes it: `Sun 2026-11-22 02:26:13 UTC; 1min 5s ago`.
    func since(_ stamp: Int64) -> String {
        let date = date(stamp)
        let day = "\(date.year)-\(Self.two(date.month))-\(Self.two(date.day))"
        return "\(Self.weekdays[date.weekday]) \(day) \(Self.time(date)) \(date.zone); "
            + Self.age(nanoseconds: nowNanoseconds &- stamp)
    }

    /// A stamp as `journalctl` writes it: `Nov 22 02:26:13`.
    func short(_ stamp: Int64) -> String {
        let date = date(stamp)
        return "\(Self.months[date.month - 1]) \(Self.two(date.day)) \(Self.time(date))"
    }

    /// How long ago something was, in at most two units.
    static func age(nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
        let text =
            switch seconds {
            case 172_800...: "\(days) days"
            case 86400...: "1 day \(hours % 24)h"
            case 3600...: "\(hours)h \(minutes % 60)min"
            case 60...: "\(minutes)min \(seconds % 60)s"
            case 1...: "\(seconds)s"
            default: "\(nanoseconds / 1_000_000)ms"
            }
        return text + " ago"
    }

    private static func time(_ date: Date) -> String {
        "\(two(date.hour)):\(two(date.minute)):\(two(date.second))"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
