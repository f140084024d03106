import CLinux
import Glibc

extension FileSystem {
    /// The paths that match a shell pattern, sorted. Like `ls -d PATTERN`, with `{a,b}` too.
    ///
    /// - Returns: none when nothing matches, or what is there cannot be read.
    public static func paths(matching pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, GLOB_BRACE, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0] }.map {
            String(cString: $0)
        }
    }
}
