import NetworkTypes

extension Duration {
    /// The duration as people write it, in the unit that suits it: `3.613 s`, `613 ms`, `7.62 ms`,
    /// `780 us`, `90 ns`; `0 s` for none. Rounded to the nearest, from one second on to whole
    /// milliseconds, below to three digits.
    public var text: String {
        let nanoseconds = wholeNanoseconds
        guard nanoseconds != 0 else { return "0 s" }
        let sign = nanoseconds < 0 ? "-" : ""
        return sign + Self.text(magnitude: nanoseconds.magnitude)
    }

    /// Units, largest first: nanoseconds in one and its symbol.
    private static let units: [(UInt64, String)] = [
        (1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us"), (1, "ns"),
    ]

    private static func text(magnitude: UInt64) -> String {
        for (index, (unit, symbol)) in units.enumerated() where magnitude >= unit {
            // Thousandths of the unit, less exact the larger the number before the point.
            let step: UInt64
            switch magnitude / unit {
            case _ where unit == 1_000_000_000: step = unit / 1000
            case 100...: step = unit
            case 10...: step = max(unit / 10, 1)
            default: step = max(unit / 100, 1)
            }
            let (steps, remainder) = magnitude.quotientAndRemainder(dividingBy: step)
            let rounded = (steps + (remainder >= step - step / 2 ? 1 : 0)) * step
            if index > 0, rounded >= unit * 1000 { return "1 \(units[index - 1].1)" }
            return decimal(rounded, unit: unit) + " " + symbol
        }
        return "0 s"
    }

    /// `value / unit` with the decimals it has, and no zero at the end.
    private static func decimal(_ value: UInt64, unit: UInt64) -> String {
        var text = String(value / unit)
        var rest = value % unit
        guard rest > 0 else { return text }
        text += "."
        var place = unit / 10
        while rest > 0, place > 0 {
            text += String(rest / place)
            rest %= place
            place /= 10
        }
        return text
    }
}
