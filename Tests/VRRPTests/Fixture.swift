import NetworkTypes
import TestSupport

/// The captured frames in Fixtures/, read without Foundation.
enum Fixture {
    private static var folder: String {
        String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/Fixtures"
    }

    /// The files there are.
    static func names() throws -> [String] {
        guard let names = folderContents(folder) else { throw MissingFixture(name: folder) }
        return names.filter { !$0.hasPrefix(".") }
    }

    /// The lines of a file that are neither empty nor comments.
    static func lines(of name: String) throws -> [String] {
        guard let text = fileContents("\(folder)/\(name)") else {
            throw MissingFixture(name: name)
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("#") }
    }

    /// The frame with that label in `<name>.hex`.
    static func frame(_ label: String, in name: String) throws -> [UInt8] {
        for line in try lines(of: "\(name).hex") {
            let fields = line.split(separator: " ")
            if let first = fields.first, first == label, let frame = fields.last {
                return octets(frame)
            }
        }
        throw MissingFixture(name: "\(name).hex: \(label)")
    }

    /// The octets written as pairs of hexadecimal digits.
    static func octets(_ text: some StringProtocol) -> [UInt8] {
        let digits = Array(text)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }
}

struct MissingFixture: Error { var name: String }

/// Octets as hexadecimal digits, so that a failed comparison can be read.
func hexadecimal(_ octets: some Sequence<UInt8>) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
