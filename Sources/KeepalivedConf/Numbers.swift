/// Why a text is not the number it should be, in keepalived's words.
struct NumberError: Error {
    var message: String
    /// The number it starts with (microseconds, of seconds; 0 where it starts with none), which
    /// keepalived takes with most keywords when that is in range: a whole number only when it runs,
    /// seconds always.
    var prefix: Int?
    /// Whether keepalived calls it a warning when it runs, with the keywords of which it takes the
    /// prefix.
    var isWarning = true

    /// What keepalived says when it runs; `isStrict` is for keywords of which it takes no prefix.
    func runTimeMessage(isStrict: Bool) -> String {
        isWarning && !isStrict ? "WARNING - \(message)" : message
    }
}

/// Reads a decimal integer as keepalived does: digits only, in `range`; `isSigned` says which of
/// its two functions reads it, which differ in their words.
func readInteger(
    _ text: String, in range: ClosedRange<Int>, isSigned: Bool = false
) throws(NumberError) -> Int {
    if let number = plainNumber(text), range.contains(number) { return number }
    let isSigned = isSigned || range.lowerBound < 0
    let written = text.utf8.drop(while: isSpaceByte)
    let isNegative = written.first == UInt8(ascii: "-")
    if isNegative, !isSigned { throw NumberError(message: "negative number '\(text)'") }
    let hasSign = isNegative || written.first == UInt8(ascii: "+")
    let digits = written.dropFirst(hasSign ? 1 : 0).prefix { (0x30...0x39).contains($0) }
    let end = digits.endIndex
    // strtol takes an empty text for 0.
    let magnitude = digits.isEmpty ? 0 : Int(Substring(digits))
    let number = magnitude.map { isNegative ? -$0 : $0 }
    guard end == text.utf8.endIndex, !(digits.isEmpty && !text.isEmpty) else {
        let prefix = number.flatMap { range.contains($0) ? $0 : nil }
        throw NumberError(message: "invalid number '\(text)'", prefix: prefix)
    }
    let widest = isSigned ? Int(Int32.min)...Int(Int32.max) : 0...Int(UInt32.max)
    guard let number, widest.contains(number) || range.contains(number) else {
        throw NumberError(
            message: "number '\(text)' outside \(isSigned ? "" : "unsigned ")integer range")
    }
    guard range.contains(number) else {
        throw NumberError(
            message: "number '\(text)' outside range [\(range.lowerBound), \(range.upperBound)]",
            isWarning: !isSigned)
    }
    return number
}

/// The number of a text that is digits and nothing else, and few enough: nearly every one is.
private func plainNumber(_ text: String) -> Int? {
    let digits = text.utf8
    guard (1...18).contains(digits.count) else { return nil }
    var number = 0
    for digit in digits {
        guard (0x30...0x39).contains(digit) else { return nil }
        number = number * 10 + Int(digit - 0x30)
    }
    return number
}

/// Whether seconds are written with more decimals than keepalived keeps, which it complains about
/// and rounds.
func hasTooManyDecimals(_ text: String) -> Bool {
    guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return false }
    return text.utf8[point...].count > 7
}

/// Reads seconds with at most six decimals, in `range`.
func readSeconds(_ text: String, in range: ClosedRange<Duration>) throws(NumberError) -> Duration {
    if let number = plainNumber(text), number <= 0xffff_ffff, range.contains(.seconds(number)) {
        return .seconds(number)
    }
    if text.utf8.first == UInt8(ascii: "-") {
        throw NumberError(message: "negative number '\(text)'")
    }
    let unsigned = text.utf8.first == UInt8(ascii: "+") ? String(text.dropFirst()) : text
    guard let duration = decimalSeconds(unsigned) else {
        throw NumberError(
            message: "invalid number '\(text)'", prefix: leadingMicroseconds(unsigned))
    }
    guard range.contains(duration) else {
        throw NumberError(
            message: "number '\(text)' outside range [\(sixDecimals(range.lowerBound)),"
                + " \(sixDecimals(range.upperBound))]")
    }
    return duration
}

/// What keepalived makes of seconds with rubbish in them: the digits before it, the point left out,
/// as microseconds.
private func leadingMicroseconds(_ text: String) -> Int {
    let digits = text.utf8.filter { $0 != UInt8(ascii: ".") }
        .prefix { (0x30...0x39).contains($0) }
    return Int(String(decoding: digits.prefix(15), as: UTF8.self)) ?? 0
}

/// Seconds written as `digits[.digits]`, rounded to microseconds. Nil for anything else, and for
/// what no timer needs.
private func decimalSeconds(_ text: String) -> Duration? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard !(parts.count == 2 && parts[0].isEmpty && parts[1].isEmpty), !text.isEmpty else {
        return nil
    }
    func number(_ digits: Substring) -> Int64? {
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.isEmpty ? 0 : Int64(digits)
    }
    guard let seconds = number(parts[0]), seconds < 20_000_000_000_000 else { return nil }
    guard parts.count == 2 else { return .seconds(seconds) }
    guard number(parts[1].prefix(18)) != nil,
        let fraction = number((parts[1] + "000000").prefix(6))
    else { return nil }
    let roundsUp = parts[1].utf8.dropFirst(6).first.map { $0 >= UInt8(ascii: "5") } ?? false
    return .seconds(seconds) + .microseconds(fraction + (roundsUp ? 1 : 0))
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
