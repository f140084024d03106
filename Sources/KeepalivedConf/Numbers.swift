/// Why a text is not the number it should be, in keepalived's words.
struct NumberError: Error {
    var message: String
}

/// Reads a decimal integer as keepalived does: digits only, in `range`.
func readInteger(_ text: String, in range: ClosedRange<Int>) throws(NumberError) -> Int {
    if range.lowerBound >= 0, text.utf8.first == UInt8(ascii: "-") {
        throw NumberError(message: "negative number '\(text)'")
    }
    guard let number = Int(text) else { throw NumberError(message: "invalid number '\(text)'") }
    guard range.contains(number) else {
        throw NumberError(
            message: "number '\(text)' outside range [\(range.lowerBound), \(range.upperBound)]")
    }
    return number
}

/// Reads seconds with at most six decimals, in `range`.
func readSeconds(_ text: String, in range: ClosedRange<Duration>) throws(NumberError) -> Duration {
    if text.utf8.first == UInt8(ascii: "-") {
        throw NumberError(message: "negative number '\(text)'")
    }
    guard let duration = decimalSeconds(text) else {
        throw NumberError(message: "invalid number '\(text)'")
    }
    guard range.contains(duration) else {
        throw NumberError(
            message: "number '\(text)' outside range [\(sixDecimals(range.lowerBound)),"
                + " \(sixDecimals(range.upperBound))]")
    }
    return duration
}

/// Seconds written as `digits[.digits]`; what is below a microsecond is dropped. Nil for anything
/// else, and for what no timer needs.
private func decimalSeconds(_ text: String) -> Duration? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard !(parts.count == 2 && parts[0].isEmpty && parts[1].isEmpty), !text.isEmpty else {
        return nil
    }
    func number(_ digits: Substring) -> Int64? {
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.isEmpty ? 0 : Int64(digits)
    }
    guard let seconds = number(parts[0]), seconds < 1_000_000_000 else { return nil }
    guard parts.count == 2 else { return .seconds(seconds) }
    guard number(parts[1].prefix(18)) != nil,
        let fraction = number((parts[1] + "000000").prefix(6))
    else { return nil }
    return .seconds(seconds) + .microseconds(fraction)
}

/// The duration in seconds with six decimals, as C prints `%f`.
func sixDecimals(_ duration: Duration) -> String { decimals(duration, count: 6) }

/// The duration in seconds with `count` decimals, cut.
func decimals(_ duration: Duration, count: Int) -> String {
    let (seconds, attoseconds) = duration.components
    let micros = String(attoseconds / 1_000_000_000_000)
    let padded = String(repeating: "0", count: 6 - micros.count) + micros
    return "\(seconds).\(padded.prefix(count))"
}

/// Reads `true`, `on`, `yes` or `false`, `off`, `no`; nil for anything else.
func readBool(_ text: String) -> Bool? {
    switch text {
    case "true", "on", "yes": true
    case "false", "off", "no": false
    default: nil
    }
}
