/// `~SEQ(V, start, step, end) text` or `~LST({V, W}, {a, b}, {c, d}) text`: a line repeated with
/// other values of its variables.
struct Replication {
    /// Why a specification is none, in keepalived's words.
    struct Failure: Error {
        var message: String?
    }

    /// What the variables are set to.
    enum Values {
        /// Numbers from `start` to `end`.
        case numbers(start: Int, step: Int, end: Int, isHexadecimal: Bool)
        /// Lists of values, one for each variable.
        case lists([[String]])
    }

    var names: [String]
    var values: Values
    /// The text that is repeated.
    var text: [Cell]

    /// How many times the text is repeated.
    var count: Int {
        switch values {
        case .numbers(let start, let step, let end, _):
            // In magnitudes: a range may be wider than an Int.
            let width =
                start < end ? end.subtractingWrapping(start) : start.subtractingWrapping(end)
            let times = width / step.magnitude
            return times >= UInt(Int.max) ? .max : Int(times) + 1
        case .lists(let lists): return lists.count
        }
    }

    /// The values of the variables, the `index`th time.
    func values(_ index: Int) -> [String] {
        switch values {
        case .numbers(let start, let step, _, let isHexadecimal):
            let number = start + index * step
            return [String(number, radix: isHexadecimal ? 16 : 10)]
        case .lists(let lists): return lists[index]
        }
    }
}

extension Int {
    /// The distance down to `other`, which is not greater.
    fileprivate func subtractingWrapping(_ other: Int) -> UInt {
        UInt(bitPattern: self) &- UInt(bitPattern: other)
    }
}

// MARK: - ~SEQ

extension Replication {
    /// Bytes of the numbers of a `~SEQ` that keepalived makes room for.
    private static let maximumNumberBytes = 64

    /// Reads `~SEQ(...)` or `~SEQx(...)`; `expand` replaces the variables in its numbers.
    init(
        sequence line: [Cell], expand: (_ numbers: [Cell]) -> [Cell]
    ) throws(Failure) {
        let invalid = Failure(message: "Invalid ~SEQ definition '\(line.text)'")
        var scanner = Scanner(line, at: 4)
        let isHexadecimal = scanner.take(UInt8(ascii: "x"))
        scanner.skipBlanks()
        guard scanner.take(UInt8(ascii: "(")) else { throw Failure() }
        scanner.skipBlanks()
        let name = scanner.takeWord(until: " \t,)")
        scanner.skipBlanks()
        guard let separator = scanner.peek, separator != UInt8(ascii: ")"), !name.isEmpty else {
            throw invalid
        }
        scanner.index += 1
        scanner.skipBlanks()
        guard let close = line.firstIndex(from: scanner.index, where: { $0 == UInt8(ascii: ")") }),
            close + 2 - scanner.index <= Self.maximumNumberBytes
        else { throw Failure(message: "~SEQ parameter strings too long '\(line.text)'") }
        let numbers = try Self.numbers(
            Scanner(expand(Array(line[scanner.index...close])), at: 0), invalid: invalid)
        let (start, step, end) = Self.bounds(numbers)
        guard step != 0, start == end || (start < end) == (step > 0) || numbers.count < 3 else {
            throw Failure(message: "Invalid ~SEQ values '\(line.text)'")
        }
        guard !isHexadecimal || (start >= 0 && end >= 0) else {
            throw Failure(
                message: "~SEQx is only valid for positive numbers '\(line.text)'")
        }
        names = [name]
        values = .numbers(start: start, step: step, end: end, isHexadecimal: isHexadecimal)
        text = line.dropping(close + 1)
    }

    /// The one, two or three numbers before the closing parenthesis.
    private static func numbers(
        _ scanner: Scanner, invalid: Failure
    ) throws(Failure) -> [Int] {
        var scanner = scanner
        var numbers: [Int] = []
        while true {
            numbers.append(scanner.takeNumber())
            scanner.skipBlanks()
            if scanner.take(UInt8(ascii: ")")) { return numbers }
            guard numbers.count < 3, scanner.take(UInt8(ascii: ",")) else { throw invalid }
        }
    }

    /// What the numbers mean: `end`, `start, end`, or `start, step, end`.
    private static func bounds(_ numbers: [Int]) -> (start: Int, step: Int, end: Int) {
        switch numbers.count {
        case 1: (numbers[0] < 0 ? -1 : 1, numbers[0] < 1 ? -1 : 1, numbers[0])
        case 2: (numbers[0], numbers[0] <= numbers[1] ? 1 : -1, numbers[1])
        default: (numbers[0], numbers[1], numbers[2])
        }
    }
}

// MARK: - ~LST

extension Replication {
    /// Reads `~LST(...)`.
    init(list line: [Cell]) throws(Failure) {
        var scanner = Scanner(line, at: 4)
        scanner.skipBlanks()
        guard scanner.take(UInt8(ascii: "(")) else { throw Failure() }
        scanner.skipBlanks()
        names = try Self.variables(&scanner)
        var lists: [[String]] = []
        repeat {
            scanner.skipBlanks()
            lists.append(try Self.tuple(&scanner, count: names.count, line: line))
            scanner.skipBlanks()
            if scanner.peek == UInt8(ascii: ")") { break }
            guard scanner.take(UInt8(ascii: ",")) else { throw Failure() }
        } while true
        values = .lists(lists)
        text = line.dropping(scanner.index + 1)
    }

    /// The names, `V` or `{V, W}`, with the comma after them.
    private static func variables(_ scanner: inout Scanner) throws(Failure) -> [String] {
        let isBraced = scanner.take(UInt8(ascii: "{"))
        var names: [String] = []
        while true {
            scanner.skipBlanks()
            names.append(scanner.takeWord(until: " \t,}"))
            scanner.skipBlanks()
            if isBraced, scanner.take(UInt8(ascii: "}")) {
                scanner.skipBlanks()
                guard scanner.take(UInt8(ascii: ",")) else { throw Failure() }
                return names
            }
            guard scanner.take(UInt8(ascii: ",")) else { throw Failure() }
            if !isBraced { return names }
        }
    }

    /// The values, `a` or `{a, b}`; those that are left out are empty.
    private static func tuple(
        _ scanner: inout Scanner, count: Int, line: [Cell]
    ) throws(Failure) -> [String] {
        let isBraced = scanner.take(UInt8(ascii: "{"))
        var values: [String] = []
        while true {
            scanner.skipBlanks()
            values.append(scanner.takeWord(until: " \t,})"))
            scanner.skipBlanks()
            if isBraced ? scanner.take(UInt8(ascii: "}")) : scanner.isAtSeparator { break }
            guard isBraced, scanner.take(UInt8(ascii: ",")) else { throw Failure() }
            guard values.count < count else {
                throw Failure(
                    message: "~LST specification has too many values '\(line.text)'")
            }
        }
        return values + Array(repeating: "", count: count - values.count)
    }
}

/// A place in a line that moves on as what stands there is taken.
private struct Scanner {
    private let line: [Cell]
    var index: Int

    init(_ line: [Cell], at index: Int) {
        self.line = line
        self.index = index
    }

    /// The byte at the place; nil at the end.
    var peek: UInt8? { index < line.count ? line[index].byte : nil }

    /// Whether a list's value ends here.
    var isAtSeparator: Bool { peek == UInt8(ascii: ",") || peek == UInt8(ascii: ")") }

    mutating func skipBlanks() {
        while let byte = peek, isBlankByte(byte) { index += 1 }
    }

    /// Moves over `byte` if it stands here.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    /// Takes what stands before the next of these bytes.
    mutating func takeWord(until ends: String) -> String {
        let start = index
        while let byte = peek, !ends.utf8.contains(byte) { index += 1 }
        return Array(line[start..<index]).text
    }

    /// Takes a number as strtol(3) with base 0 does: decimal, or octal after 0, or hexadecimal
    /// after 0x, kept within 64 bits; 0 where there is none.
    mutating func takeNumber() -> Int {
        while let byte = peek, isSpaceByte(byte) { index += 1 }
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative || peek == UInt8(ascii: "+") { index += 1 }
        var radix = 10
        if peek == UInt8(ascii: "0") {
            radix = 8
            let next = index + 1 < line.count ? line[index + 1].byte | 0x20 : 0
            if next == UInt8(ascii: "x"), index + 2 < line.count,
                digit(line[index + 2].byte, radix: 16) != nil
            {
                radix = 16
                index += 2
            }
        }
        var number = 0
        while let byte = peek, let value = digit(byte, radix: radix) {
            let (scaled, overflows) = number.multipliedReportingOverflow(by: radix)
            let (sum, overflowsToo) = scaled.subtractingReportingOverflow(value)
            number = overflows || overflowsToo ? .min : sum
            index += 1
        }
        return isNegative ? number : number == .min ? .max : -number
    }

    private func digit(_ byte: UInt8, radix: Int) -> Int? {
        Character(UnicodeScalar(byte)).hexDigitValue.flatMap { $0 < radix ? $0 : nil }
    }
}
