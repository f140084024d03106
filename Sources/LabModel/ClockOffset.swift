public import NetworkTypes

/// How far the clocks of a service are ahead of the machine's, `+1h`, or behind it, `-30m`; `none`
/// for as they are.
///
/// Those are meant that count from the machine's start, CLOCK_MONOTONIC and CLOCK_BOOTTIME, of
/// which a time namespace has its own (time_namespaces(7)). CLOCK_REALTIME is the whole machine's.
public struct ClockOffset: Hashable, Sendable {
    public var duration: Duration

    public init(_ duration: Duration) { self.duration = duration }

    /// As the machine's.
    public static let none = ClockOffset(.zero)
}

extension ClockOffset: TextCodable {
    public static var textName: String { "offset of a clock, as +1h" }

    public static func parse(_ text: String) -> Self? {
        if text == "none" { return ClockOffset.none }
        let isBehind = text.hasPrefix("-")
        let size = isBehind || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard let duration = Duration(durationText: size), duration > .zero else { return nil }
        return Self(isBehind ? .zero - duration : duration)
    }

    public var description: String {
        if self == .none { return "none" }
        let size = duration < .zero ? .zero - duration : duration
        return (duration < .zero ? "-" : "+") + Self.text(of: size)
    }

    private static func text(of size: Duration) -> String {
        for (unit, seconds) in [("h", Int64(3600)), ("m", 60)] {
            let (count, rest) = size.wholeNanoseconds.quotientAndRemainder(
                dividingBy: seconds * 1_000_000_000)
            if rest == 0 { return "\(count)\(unit)" }
        }
        return size.exactText
    }
}
