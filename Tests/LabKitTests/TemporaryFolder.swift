import Glibc
import Testing

@testable import LinuxSystem

/// A folder of a test's own, which goes with this object.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/labctl-labkit-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FileSystem.removeTree(path) }
}
