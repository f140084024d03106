import Glibc
import NetworkTypes

/// The captured frames in Fixtures/, read without Foundation.
enum Fixture {
    private static var folder: String {
        String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/Fixtures"
    }

    /// The files there are.
    static func names() throws -> [String] {
        guard let directory = opendir(folder) else { throw MissingFixture(name: folder) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) {
                    names.append(String(cString: $0))
                }
            }
        }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The lines of a file that are neither empty nor comments.
    static func lines(of name: String) throws -> [String] {
        guard let file = fopen("\(folder)/\(name)", "r") else {
            throw MissingFixture(name: name)
        }
        defer { fclose(file) }
        var text: [UInt8] = []
        while case let octet = fgetc(file), octet != EOF { text.append(UInt8(octet)) }
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

/// A small generator with a seed (SplitMix64), so that a failed run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
