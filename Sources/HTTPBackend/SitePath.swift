/// What a request's target names below the served folder: names of folders and a file, decoded.
///
/// No segment is empty, `.` or `..`, or holds a slash or a NUL: such a path cannot climb, whatever
/// it is appended to. (A symbolic link still can; opening is `Site`'s part.)
struct SitePath: Hashable, Sendable {
    /// The names from the root downwards, as bytes: Linux file names have no encoding.
    var segments: [[UInt8]]
    /// Whether the target ended in a slash, which only a folder answers to.
    var endsInSlash: Bool
    /// What followed the `?`, as it was written; a file server only passes it on in redirects.
    var query: String?

    /// Why a target names nothing here.
    enum Problem: Error, Hashable {
        /// Not a target at all, a broken escape, a NUL, or a path that climbs above the root: 400.
        case malformed
        /// A well-formed target that no file can have: 404.
        case unnameable
    }

    /// Parses the target of a GET or HEAD: `/path?query`, or the same after `http://host`, which
    /// every server must accept (RFC 9112 §3.2.2).
    init(target: String) throws(Problem) {
        var rest = target[...]
        for scheme in ["http://", "https://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            rest = rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? ""
            if !rest.hasPrefix("/") { rest = "/" + rest }
            break
        }
        guard rest.hasPrefix("/"), !rest.contains("#") else { throw .malformed }
        let path: Substring
        if let mark = rest.firstIndex(of: "?") {
            path = rest[..<mark]
            query = String(rest[rest.index(after: mark)...])
        } else {
            path = rest
            query = nil
        }

        segments = []
        endsInSlash = true
        // The slashes are found before anything is decoded: an encoded slash belongs to a name,
        // and no file has such a name.
        for encoded in path.utf8.split(separator: UInt8(ascii: "/")) {
            let segment = try Self.decoded(encoded)
            guard !segment.contains(0) else { throw .malformed }
            guard !segment.contains(UInt8(ascii: "/")) else { throw .unnameable }
            endsInSlash = true
            switch segment {
            case [UInt8(ascii: ".")]:
                break
            case [UInt8(ascii: "."), UInt8(ascii: ".")]:
                guard segments.popLast() != nil else { throw .malformed }
            default:
                segments.append(segment)
                endsInSlash = false
            }
        }
        endsInSlash = endsInSlash || path.utf8.last == UInt8(ascii: "/")
    }

    /// The path in the form the file system takes, relative to the root: `.` for the root itself.
    var relativePath: [UInt8] {
        guard !segments.isEmpty else { return [UInt8(ascii: ".")] }
        var bytes = Array(segments.joined(separator: [UInt8(ascii: "/")]))
        // With it, the kernel itself refuses what is not a folder.
        if endsInSlash { bytes.append(UInt8(ascii: "/")) }
        return bytes
    }

    /// The file that stands for this folder.
    var indexFile: SitePath {
        var path = self
        path.segments.append(Array("index.html".utf8))
        path.endsInSlash = false
        return path
    }

    /// The target that names this path as a folder, encoded again.
    ///
    /// It starts with exactly one slash: two would name another host (RFC 3986 §4.2).
    var folderTarget: String {
        var target = "/"
        for segment in segments {
            for byte in segment { target += Self.encoded(byte) }
            target += "/"
        }
        if let query { target += "?\(query)" }
        return target
    }

    private static func decoded(_ encoded: Substring.UTF8View.SubSequence) throws(Problem)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        var rest = encoded
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit),
                let low = rest.popFirst().flatMap(digit)
            else { throw .malformed }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// Everything but RFC 3986's unreserved characters is escaped.
    private static func encoded(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            return String(UnicodeScalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }
    }
}
