import NetworkTypes

// Numbers as printf(3) writes them in keepalived's dumps, without printf.

extension Duration {
    /// Whole microseconds, in which keepalived counts.
    var wholeMicroseconds: Int64 { wholeNanoseconds / 1000 }

    /// Whole seconds.
    var wholeSeconds: Int64 { components.seconds }

    /// Seconds as `%g` prints them: at most six digits that mean something, no zeros after them.
    var shortSeconds: String {
        var value = wholeMicroseconds
        precondition(value >= 0, "an interval is not negative")
        // Seven digits and more before the point are an exponent in C, and in no configuration.
        var unit: Int64 = 1
        while value / unit >= 1_000_000 { unit *= 10 }
        value = (value + unit / 2) / unit * unit
        let fraction = Text.padded(value % 1_000_000, 6)
        let digits = fraction.lastIndex { $0 != "0" }.map { fraction[...$0] } ?? ""
        return "\(value / 1_000_000)" + (digits.isEmpty ? "" : ".\(digits)")
    }

    /// Seconds as `%f` prints them.
    var longSeconds: String {
        "\(wholeMicroseconds / 1_000_000).\(Text.padded(wholeMicroseconds % 1_000_000, 6))"
    }
}

extension AgentReport.WallTime {
    /// Seconds and microseconds since 1970.
    var seconds: String {
        "\(nanoseconds / 1_000_000_000)."
            + Text.padded(nanoseconds / 1000 % 1_000_000, 6)
    }

    /// The same, and for people: `1795279391.696679 (Sat Nov 21 16:43:11.696679 2026)`.
    ///
    /// - Parameter calendar: the time of that many seconds as ctime(3) writes it, without newline.
    func text(_ calendar: (Int64) -> String) -> String {
        let date = calendar(nanoseconds / 1_000_000_000)
        let fraction = Text.padded(nanoseconds / 1000 % 1_000_000, 6)
        return "\(seconds) (\(date.dropLast(5)).\(fraction)\(date.suffix(5)))"
    }
}

/// Text in the forms of C.
enum Text {
    /// Digits with zeros in front.
    static func padded(_ number: some BinaryInteger, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// `0x10`.
    static func hexadecimal(_ number: some BinaryInteger) -> String {
        "0x" + String(number, radix: 16)
    }
}
