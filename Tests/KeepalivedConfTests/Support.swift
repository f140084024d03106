import KeepalivedConf
import Testing

/// Parses a file given as lines; `files` are what its includes find, by pattern.
func parse(
    _ text: String, files: [String: [IncludedFile]] = [:]
) -> ParsedConfiguration {
    Configuration.parse(text, file: "k.conf") { pattern, _ in files[pattern] ?? [] }
}

/// An instance VI_1 that is complete, with more lines in its block: the first is line 4.
func instance(_ lines: String, addresses: String = "192.0.2.1") -> String {
    """
    vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    \(lines)
    virtual_ipaddress {
    \(addresses)
    }
    }
    """
}

extension ParsedConfiguration {
    /// The diagnostics as text, without those about what vrrp-agent cannot do.
    var complaints: [String] {
        diagnostics.filter { $0.kind != .notSupportedYet && $0.kind != .noEffect }
            .map { $0.description }
    }

    /// The only instance.
    var only: VRRPInstance {
        get throws {
            try #require(configuration.instances.count == 1)
            return configuration.instances[0]
        }
    }
}
