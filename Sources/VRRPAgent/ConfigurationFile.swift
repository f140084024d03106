import KeepalivedConf
import LinuxSystem

/// Reads keepalived.conf and what it includes.
enum ConfigurationFile {
    /// No configuration is longer: what is, is some other file.
    private static let maximumBytes = 16 << 20

    /// - Throws: ``SystemError`` when the file itself cannot be read.
    static func read(_ path: String) throws(SystemError) -> ParsedConfiguration {
        Configuration.parse(try text(path), file: path) { pattern, includer in
            let folder = includer.lastIndex(of: "/").map { includer[...$0] } ?? ""
            return FileSystem.paths(matching: pattern.hasPrefix("/") ? pattern : folder + pattern)
                .compactMap { path in
                    // One that cannot be read is missing from the answer, and reported as such.
                    (try? text(path)).map { IncludedFile(path: path, text: $0) }
                }
        }
    }

    private static func text(_ path: String) throws(SystemError) -> String {
        String(decoding: try FileSystem.read(path, limitBytes: maximumBytes), as: UTF8.self)
    }
}

extension ConfDiagnostic {
    /// Whether keepalived's own `--config-test` would end with another status than 0 for it.
    var failsConfigurationTest: Bool {
        switch kind {
        case .refused, .lossOfConfiguration, .unbalancedBraces, .unknownKeyword, .consequence,
            .adjustedValue, .misreadLine, .missingInclude, .refusedInclude:
            severity != .note
        case .notSupportedYet, .noEffect: false
        }
    }
}
