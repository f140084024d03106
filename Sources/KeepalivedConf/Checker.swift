public import NetworkTypes

/// How a real server's health is checked, every default filled in.
public struct Checker: Hashable, Sendable {
    /// What is done.
    public enum Kind: Hashable, Sendable {
        /// `TCP_CHECK`: connects.
        case tcp
        /// `HTTP_GET` and `SSL_GET`: asks for pages.
        case http(HTTPCheck)
        /// `SMTP_CHECK`: greets a mail server.
        case smtp(heloName: String)
        /// `DNS_CHECK`: asks for a name.
        case dns(type: DNSType, name: String)
        /// `MISC_CHECK`: runs a command.
        case misc(MiscCheck)
        /// `PING_CHECK`: sends an echo request.
        case ping
        /// `UDP_CHECK`: sends a datagram.
        case udp(UDPCheck)
        /// `FILE_CHECK`: reads a number from a `track_file`.
        case file(trackFile: String, weight: Int?, isReversed: Bool)
        /// `BFD_CHECK`: looks at a `bfd_instance`.
        case bfd(name: String)
    }

    /// Where a checker connects to and from.
    public struct Connection: Hashable, Sendable {
        /// `connect_ip`, or else the real server's address.
        public var address: IPAddress
        /// `connect_port`, or else the real server's port.
        public var port: UInt16?
        /// `bindto`.
        public var source: IPAddress?
        /// `bind_port`.
        public var sourcePort: UInt16?
        /// `bind_if`.
        public var interface: InterfaceName?
        /// `fwmark`.
        public var firewallMark: UInt32?
        /// `connect_timeout`, or else the real server's.
        public var timeout: Duration = .seconds(5)

        /// To that address and port.
        public init(address: IPAddress, port: UInt16?) {
            self.address = address
            self.port = port
        }
    }

    /// Types of DNS records a `DNS_CHECK` can ask for.
    public enum DNSType: String, Hashable, Sendable, CaseIterable {
        case a = "A"
        case ns = "NS"
        case cname = "CNAME"
        case soa = "SOA"
        case mx = "MX"
        case txt = "TXT"
        case aaaa = "AAAA"
        case rrsig = "RRSIG"
        case dnskey = "DNSKEY"
    }

    /// What is done.
    public var kind: Kind
    /// Where it connects; nil where nothing is connected to.
    public var connection: Connection?
    /// `retry`: failures that are forgiven.
    public var retries: Int
    /// `delay_before_retry`.
    public var delayBeforeRetry: Duration
    /// `warmup`: the most by which the first check is put off.
    public var warmup: Duration
    /// `delay_loop`: the time between checks.
    public var delayLoop: Duration
    /// `alpha`: counts as failed until it has succeeded.
    public var startsDown: Bool
    /// `log_all_failures`.
    public var logsAllFailures: Bool
    /// Where it stands.
    public var position: SourcePosition
}

/// What `HTTP_GET` and `SSL_GET` ask for.
public struct HTTPCheck: Hashable, Sendable {
    /// `http_protocol`.
    public enum Version: String, Hashable, Sendable {
        case http10 = "1.0"
        case http10Connection = "1.0C"
        case http11 = "1.1"
    }

    /// A `url` block: a page and what it must be.
    public struct Page: Hashable, Sendable {
        /// `path`.
        public var path: String
        /// `digest`: the MD5 sum of the body.
        public var digest: [UInt8]?
        /// `status_code`: the codes that are right.
        public var statusCodes: [ClosedRange<Int>] = [200...299]
        /// `virtualhost`.
        public var virtualHost: String?
        /// `regex`.
        public var expression: String?
        /// `regex_no_match`: the expression must not match.
        public var mustNotMatch = false
        /// `regex_options`.
        public var expressionOptions: [String] = []
        /// Where it stands.
        public var position: SourcePosition
    }

    /// `SSL_GET`.
    public var usesTLS: Bool
    /// `http_protocol`.
    public var version = Version.http10
    /// `virtualhost`.
    public var virtualHost: String?
    /// `fast_recovery`: up again after one page.
    public var recoversFast = false
    /// `enable_sni`.
    public var sendsServerName = false
    /// The pages.
    public var pages: [Page] = []
}

/// The command of a `MISC_CHECK`.
public struct MiscCheck: Hashable, Sendable {
    /// `misc_path`.
    public var command: Command
    /// `misc_timeout`; nil: `delay_loop`.
    public var timeout: Duration?
    /// `misc_dynamic`: an exit status of 2 to 255 is the weight less 2.
    public var setsWeight = false
}

/// What a `UDP_CHECK` sends and wants to hear.
public struct UDPCheck: Hashable, Sendable {
    /// `payload`; empty: keepalived's own.
    public var payload: [UInt8] = []
    /// `require_reply`: an answer must come.
    public var requiresReply = false
    /// What it must be; nil in it: any value of the half octet.
    public var reply: [UInt8?] = []
    /// `min_reply_length`.
    public var minimumReplyBytes = 0
    /// `max_reply_length`.
    public var maximumReplyBytes = 255
}
