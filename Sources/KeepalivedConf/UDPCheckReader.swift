// What is particular to `UDP_CHECK`.
extension CheckerReader {
    /// Reads the payload and what the answer must be.
    mutating func readUDP(_ own: [Statement], end: SourcePosition) -> Checker.Kind {
        var check = UDPCheck()
        for inner in own {
            let value = inner.value
            let text = inner.arguments.map(\.text).joined(separator: " ")
            switch inner.name {
            case "payload":
                guard !inner.arguments.isEmpty else {
                    adjusted(inner.position, "UDP_CHECK payload requires a payload")
                    continue
                }
                let octets = hexadecimalOctets(text, allowsAny: false)
                check.payload = octets?.compactMap { $0 } ?? []
                if octets == nil {
                    adjusted(value.position, "Invalid hex string for UDP_CHECK payload")
                }
            case "require_reply":
                check.requiresReply = true
                guard !inner.arguments.isEmpty else { continue }
                let octets = hexadecimalOctets(text, allowsAny: true)
                check.reply = octets ?? []
                if octets == nil {
                    adjusted(value.position, "Invalid hex string for UDP_CHECK reply")
                }
            case "min_reply_length", "max_reply_length":
                let isMinimum = inner.name == "min_reply_length"
                let message =
                    "UDP_CHECK \(isMinimum ? "min" : "max") length \(value.text) not valid - must"
                    + " be between 0 & 65535"
                guard let length = integer(value, in: 0...65535, isStrict: true, else: message)
                else { continue }
                if isMinimum {
                    check.minimumReplyBytes = length
                } else {
                    check.maximumReplyBytes = length
                }
            default: break
            }
        }
        if check.minimumReplyBytes > check.maximumReplyBytes {
            adjusted(
                end,
                "UDP_CHECK min_reply length \(check.minimumReplyBytes) > max_reply_length"
                    + " \(check.maximumReplyBytes) - will always fail")
        }
        return .udp(check)
    }

    /// Octets of one or two hexadecimal digits, apart or not; with `allowsAny`, `x` in one stands
    /// for any digit, and makes the octet nil. Nil when it is not that.
    private func hexadecimalOctets(_ text: String, allowsAny: Bool) -> [UInt8?]? {
        var octets: [UInt8?] = []
        for word in text.utf8.split(whereSeparator: isSpaceByte) {
            var rest = word
            while !rest.isEmpty {
                let pair = rest.prefix(2)
                rest = rest.dropFirst(2)
                let isAny = pair.contains(UInt8(ascii: "x")) || pair.contains(UInt8(ascii: "X"))
                if isAny, allowsAny {
                    octets.append(nil)
                } else {
                    guard let octet = UInt8(Substring(pair), radix: 16) else { return nil }
                    octets.append(octet)
                }
            }
        }
        return octets.isEmpty ? nil : octets
    }
}
