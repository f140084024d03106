import KeepalivedConf

extension LoadBalancer {
    /// How everything is, for people: what SIGUSR1 asks for.
    public var report: String {
        var lines: [String] = []
        for service in services {
            lines.append("VS \(service.server.title)")
            lines.append("  Quorum = \(service.isQuorumUp ? "up" : "down")")
            if let sorry = service.sorry {
                let title = service.server.title(of: sorry.server.address, sorry.server.port)
                lines.append("  Sorry server \(title) = \(sorry.isAlive ? "in use" : "not in use")")
            }
            for server in service.servers {
                lines.append("  RS \(service.server.title(of: server.server))")
                lines.append("    Alive = \(server.isAlive ? "yes" : "no")")
                lines.append("    Effective weight = \(server.weight)")
                for checker in server.checkers {
                    lines.append("    \(checker.definition.kind.keyword)")
                    lines.append("      Enabled = \(checker.isEnabled ? "yes" : "no")")
                    lines.append("      Up = \(checker.isUp ? "yes" : "no")")
                    lines.append("      Has run = \(checker.hasRun ? "yes" : "no")")
                    lines.append("      Retries iterations = \(checker.failures)")
                }
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension Checker.Kind {
    /// Its word in keepalived.conf.
    fileprivate var keyword: String {
        switch self {
        case .tcp: "TCP_CHECK"
        case .http(let check): check.usesTLS ? "SSL_GET" : "HTTP_GET"
        case .smtp: "SMTP_CHECK"
        case .dns: "DNS_CHECK"
        case .misc: "MISC_CHECK"
        case .ping: "PING_CHECK"
        case .udp: "UDP_CHECK"
        case .file: "FILE_CHECK"
        case .bfd: "BFD_CHECK"
        }
    }
}
