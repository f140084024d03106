/// A metric of a route by the name `ip route` has for it.
struct RouteMetric {
    /// RTAX_ of linux/rtnetlink.h.
    var number: UInt16
    /// As keepalived's messages call it.
    var description: String
    var mayBeLocked = false
    var limit = UInt32.max
    /// For times: how many of the kernel's units are a millisecond.
    var timeUnit: UInt32?

    /// The metric of that name.
    static func named(_ name: String) -> RouteMetric? {
        switch name {
        case "mtu": RouteMetric(number: 2, description: "MTU", mayBeLocked: true)
        case "window": RouteMetric(number: 3, description: "window value")
        case "rtt": RouteMetric(number: 4, description: "rtt", mayBeLocked: true, timeUnit: 8)
        case "rttvar": RouteMetric(number: 5, description: "rttvar", mayBeLocked: true, timeUnit: 4)
        case "ssthresh": RouteMetric(number: 6, description: "ssthresh value", mayBeLocked: true)
        case "cwnd": RouteMetric(number: 7, description: "cwnd value", mayBeLocked: true)
        case "advmss": RouteMetric(number: 8, description: "advmss", mayBeLocked: true)
        case "reordering":
            RouteMetric(number: 9, description: "reordering value", mayBeLocked: true)
        case "hoplimit": RouteMetric(number: 10, description: "hoplimit", limit: 255)
        case "initcwnd": RouteMetric(number: 11, description: "initcwnd value")
        case "rto_min":
            RouteMetric(number: 13, description: "rto_min value", mayBeLocked: true, timeUnit: 1)
        case "initrwnd": RouteMetric(number: 14, description: "initrwnd value")
        case "quickack": RouteMetric(number: 15, description: "quickack value", limit: 1)
        case "fastopen_no_cookie":
            RouteMetric(number: 17, description: "fastopen_no_cookie value", limit: 1)
        default: nil
        }
    }

    /// A time in the kernel's units: a number of them, or with `ms`, `s`, `sec` or `secs` after it;
    /// brought into 0.2 s to 120 s, which is all the kernel knows.
    static func time(_ text: String, unit: UInt32) -> UInt32? {
        var digits = text[...]
        var scale: Int64?
        for (suffix, milliseconds) in [
            ("msecs", 1), ("msec", 1), ("ms", 1), ("secs", 1000),
            ("sec", 1000), ("s", 1000),
        ] as [(String, Int64)]
        where text.lowercased().hasSuffix(suffix) {
            digits = text.dropLast(suffix.count)
            scale = milliseconds
            break
        }
        let value: Int64
        if let scale {
            guard
                let seconds = try? readSeconds(
                    String(digits), in: .zero ... .seconds(999_999_999))
            else { return nil }
            let microseconds =
                seconds.components.seconds * 1_000_000
                + seconds.components.attoseconds / 1_000_000_000_000
            value = microseconds * scale / 1_000_000 * Int64(unit)
        } else {
            guard let number = UInt32(digits) else { return nil }
            value = Int64(number)
        }
        return UInt32(min(max(value, 200 * Int64(unit)), 120_000 * Int64(unit)))
    }
}
