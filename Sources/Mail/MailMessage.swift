/// A message (RFC 5322): header fields, and what is below them.
public struct MailMessage: Equatable, Sendable {
    /// A header field, unfolded.
    public struct Field: Equatable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var fields: [Field]
    /// What follows the empty line; what is not UTF-8 in it repaired.
    public var body: String

    public init(fields: [Field], body: String) {
        self.fields = fields
        self.body = body
    }

    /// Reads a message, its lines ended by LF or CR LF. What begins with no header field is all
    /// body.
    public init(_ bytes: some Sequence<UInt8>) {
        let text = String(decoding: bytes.filter { $0 != .carriageReturn }, as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        fields = []
        while let line = lines.first, !line.isEmpty {
            if line.first == " " || line.first == "\t", !fields.isEmpty {
                // A folded field's next line (§2.2.3).
                fields[fields.count - 1].value += line
            } else if let field = Field(line: line) {
                fields.append(field)
            } else {
                break
            }
            lines.removeFirst()
        }
        if lines.first?.isEmpty ?? false { lines.removeFirst() }
        body = lines.joined(separator: "\n")
    }

    /// The first field of that name, whatever the case of its letters.
    public subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// What it is about; empty where that is not said.
    public var subject: String { self["Subject"] ?? "" }

    /// The addresses in its fields To, Cc and Bcc.
    public var recipients: [String] {
        fields.filter { ["to", "cc", "bcc"].contains($0.name.lowercased()) }
            .flatMap { MailAddress.list($0.value) }
    }

    /// The message with lines ended by LF.
    public var bytes: [UInt8] {
        let head = fields.map { "\($0.name): \($0.value)\n" }.joined()
        return Array((head + "\n" + body).utf8)
    }
}

extension MailMessage.Field {
    /// Reads `Name: value`; nil for anything else.
    fileprivate init?(line: Substring) {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
            line[..<colon].utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.init(
            String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
    }
}

/// Addresses as people write them.
public enum MailAddress {
    /// What stands before the last `@`: the user, where the address is one of this machine.
    public static func localPart(of address: String) -> String {
        String(address[..<(address.lastIndex(of: "@") ?? address.endIndex)])
    }

    /// The bare addresses of a list: `Root <root@master>, admin` gives `root@master` and `admin`.
    public static func list(_ text: String) -> [String] {
        text.split(separator: ",").compactMap { item in
            let address =
                if let start = item.lastIndex(of: "<"), let end = item.lastIndex(of: ">"),
                    start < end
                {
                    item[item.index(after: start)..<end]
                } else {
                    item
                }
            let words = address.split { $0 == " " || $0 == "\t" }
            return words.last.map(String.init)
        }
    }
}
