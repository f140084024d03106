/// A block of the file that has keywords of its own.
enum Section: String, CaseIterable, Sendable {
    case topLevel = "the top level"
    case globalDefinitions = "global_defs"
    case vrrpInstance = "vrrp_instance"
    case authentication
    case vrrpScript = "vrrp_script"
    case syncGroup = "vrrp_sync_group"
    case trackFile = "track_file"
    case trackProcess = "vrrp_track_process"
    case trackGroup = "track_group"
    case garpGroup = "garp_group"
    case bfdInstance = "bfd_instance"
    case virtualServer = "virtual_server"
    case realServer = "real_server"
    case tcpCheck = "TCP_CHECK"
    case httpGet = "HTTP_GET"
    case url
    case smtpCheck = "SMTP_CHECK"
    case smtpHost = "host"
    case dnsCheck = "DNS_CHECK"
    case miscCheck = "MISC_CHECK"
    case pingCheck = "PING_CHECK"
    case udpCheck = "UDP_CHECK"
    case fileCheck = "FILE_CHECK"
    case bfdCheck = "BFD_CHECK"
    case sslContext = "SSL"
}

/// One keyword of keepalived 2.2.7 in one section.
struct Keyword: Sendable {
    /// What follows the keyword.
    enum Form: Sendable {
        /// Values on the same line, or none.
        case value
        /// A block with keywords of its own.
        case block(Section)
        /// A block of free lines.
        case list
    }
    /// What this version of vrrp-agent does about it.
    enum Support: Sendable {
        /// What keepalived does; or a part of LVS, which is kept as data.
        case full
        /// Nothing yet, though it would matter.
        case notYet
        /// Nothing, and no lab can tell.
        case noEffect
        /// What later versions of keepalived do; 2.2.7 does not know the keyword.
        case newer
    }
    var form: Form
    var support: Support
    /// Whether keepalived exits with status 2 when no value follows.
    var requiresParameter: Bool
}

/// The keywords of every section, as keepalived 2.2.7 (Debian 12) has them: which exist, and which
/// it exits for when their value is missing, was asked of the daemon itself.
enum Grammar {
    /// All keywords of a section.
    static func keywords(in section: Section) -> [String: Keyword] { tables[section] ?? [:] }

    /// The keyword of that name in that section.
    static func keyword(_ name: String, in section: Section) -> Keyword? {
        tables[section]?[name]
    }

    /// All names in a section, sorted.
    static func names(in section: Section) -> [String] {
        tables[section].map { $0.keys.sorted() } ?? []
    }

    /// The sections that have a keyword of that name.
    static func sections(of name: String) -> [Section] {
        Section.allCases.filter { tables[$0]?[name] != nil }
    }

    private static let tables: [Section: [String: Keyword]] = {
        var tables: [Section: [String: Keyword]] = [:]
        for section in Section.allCases { tables[section] = rules(for: section).table }
        return tables
    }()

    private static func rules(for section: Section) -> SectionRules {
        switch section {
        case .topLevel: topLevel
        case .globalDefinitions: globalDefinitions
        case .vrrpInstance: vrrpInstance
        case .authentication:
            SectionRules(full: "auth_type auth_pass", required: "auth_type auth_pass")
        case .vrrpScript: vrrpScript
        case .syncGroup: syncGroup
        case .trackFile: SectionRules(full: "file weight init_file")
        case .trackProcess: trackProcess
        case .trackGroup: SectionRules(lists: "group")
        case .garpGroup: garpGroup
        case .bfdInstance: bfdInstance
        case .virtualServer: virtualServer
        case .realServer: realServer
        case .tcpCheck, .pingCheck: SectionRules(checker: "")
        case .httpGet: httpGet
        case .url: url
        case .smtpCheck:
            SectionRules(checker: "helo_name", blocks: ["host": .smtpHost])
        case .smtpHost: SectionRules(checker: "")
        case .dnsCheck: SectionRules(checker: "type name", required: "type name")
        case .miscCheck: miscCheck
        case .udpCheck:
            SectionRules(
                checker: "payload require_reply min_reply_length max_reply_length",
                required: "min_reply_length max_reply_length")
        case .fileCheck: SectionRules(full: "track_file weight", required: "track_file")
        case .bfdCheck: SectionRules(full: "name alpha")
        case .sslContext: SectionRules(full: "password ca certificate key")
        }
    }
}

/// The keywords of a section, written as lists of names.
struct SectionRules {
    /// Keywords with values, each name once in one of the three.
    var full = ""
    var notYet = ""
    var noEffect = ""
    var newer = ""
    /// Names of blocks of free lines, with their own support.
    var lists = ""
    var listsNotYet = ""
    var listsNoEffect = ""
    /// Blocks with keywords; those also named in `notYet` or `noEffect` are so.
    var blocks: [String: Section] = [:]
    /// Those of the names above for which keepalived exits when the value is missing.
    var required = ""

    /// The table of these names.
    var table: [String: Keyword] {
        let required = Set(Self.names(required))
        var table: [String: Keyword] = [:]
        func add(_ names: String, _ form: Keyword.Form, _ support: Keyword.Support) {
            for name in Self.names(names) {
                table[name] = Keyword(
                    form: form, support: support, requiresParameter: required.contains(name))
            }
        }
        add(full, .value, .full)
        add(notYet, .value, .notYet)
        add(noEffect, .value, .noEffect)
        add(newer, .value, .newer)
        add(lists, .list, .full)
        add(listsNotYet, .list, .notYet)
        add(listsNoEffect, .list, .noEffect)
        for (name, section) in blocks {
            add(name, .block(section), table[name]?.support ?? .full)
        }
        return table
    }

    private static func names(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}

extension SectionRules {
    /// A checker that connects somewhere, with what all of those have, and `names` of its own.
    init(checker names: String, required: String = "", blocks: [String: Section] = [:]) {
        let connection = """
            connect_ip connect_port bindto bind_if bind_port fwmark connect_timeout retry
            delay_before_retry warmup delay_loop
            """
        self.init(
            full: "\(connection) alpha log_all_failures \(names)", blocks: blocks,
            required: "\(connection) \(required)")
    }
}
