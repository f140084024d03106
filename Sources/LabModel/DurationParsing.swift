extension Duration {
    /// Parses a duration as people write it, `250us`, `10ms`, `1.5s`, `5m` or `1h`: a decimal
    /// number of at most nine digits before the point and its unit; nil for anything else.
    public init?(durationText text: some StringProtocol) {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unitNanoseconds: Int64
        switch text[number.endIndex...] {
        case "us": unitNanoseconds = 1_000
        case "ms": unitNanoseconds = 1_000_000
        case "s": unitNanoseconds = 1_000_000_000
        case "m": unitNanoseconds = 60_000_000_000
        case "h": unitNanoseconds = 3_600_000_000_000
        default: return nil
        }
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard (1...9).contains(parts[0].count), let whole = Int64(parts[0]) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unitNanoseconds)
        guard !overflow else { return nil }
        var nanoseconds = product
        if parts.count == 2 {
            guard (1...9).contains(parts[1].count) else { return nil }
            var place = unitNanoseconds
            for digit in parts[1] {
                guard let value = digit.wholeNumberValue else { return nil }
                place /= 10
                let (sum, overflow) = nanoseconds.addingReportingOverflow(Int64(value) * place)
                guard !overflow else { return nil }
                nanoseconds = sum
            }
        }
        self = .nanoseconds(nanoseconds)
    }
}
