import NIOHTTP1
import SystemPackage

/// One line for each answer, in the Common Log Format.
struct AccessLog: Sendable {
    /// Where the lines go; it stays open as long as the server runs.
    let output: FileDescriptor

    /// Writes one line in one call, so that lines of several servers in one file stay whole.
    func write(_ line: String) {
        do {
            try output.writeAll(Array("\(line)\n".utf8))
        } catch {
            // The reader of a pipe may go; requests are answered all the same.
            Diagnostics.write("cannot write the access log: \(error)")
        }
    }

    /// The line of an answer: `host - - [date] "request line" status bytes`.
    ///
    /// - Parameters:
    ///   - request: nil where the client's bytes were no request.
    ///   - bodyLength: the bytes promised after the head.
    static func line(
        client: String, request: HTTPRequestHead?, status: UInt, bodyLength: Int64, now: HTTPDate
    ) -> String {
        let requestLine =
            request.map { "\($0.method.rawValue) \($0.uri) \(protocolName($0.version))" } ?? "-"
        let shown =
            requestLine.count <= maximumRequestLine
            ? requestLine[...] : requestLine.prefix(maximumRequestLine) + "..."
        let bytes = bodyLength == 0 ? "-" : "\(bodyLength)"
        return "\(client) - - [\(now.logStamp)] \"\(escaped(shown))\" \(status) \(bytes)"
    }

    /// Characters of a request line that are written; a flood of long ones must not fill the disk.
    static let maximumRequestLine = 1000

    private static func protocolName(_ version: HTTPVersion) -> String {
        "HTTP/\(version.major).\(version.minor)"
    }

    /// What a client sent must not end the quotes or the line.
    private static func escaped(_ text: Substring) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                result += "\\"
                result.unicodeScalars.append(scalar)
            case "\u{0}"..<" ", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                result += digits.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// What the server says about itself, on standard error.
enum Diagnostics {
    static func write(_ message: String) {
        // Nowhere is left to report that standard error itself is gone.
        _ = try? FileDescriptor.standardError.writeAll(Array("\(message)\n".utf8))
    }
}
