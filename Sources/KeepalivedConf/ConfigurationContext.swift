/// What the text of a configuration depends on besides itself: the machine and how the daemon was
/// started.
public struct ConfigurationContext: Sendable {
    /// What `@ID` lines are compared with and `${_INSTANCE}` stands for: `-i`, or else the host's
    /// name up to its first dot; nil where neither is known: then no `@ID` matches.
    public var configID: String?
    /// The daemon's working directory, absolute: a relative name of the file counts from there,
    /// and `${_PWD}` is the folder of the file being read.
    public var workingDirectory: String
    /// What every `include` is checked for: all of it with `-e`; `include_check` changes it.
    public var includeChecks: IncludeChecks
    /// A number for `${_RANDOM MIN MAX}`; asked once for each, so that a seeded source makes the
    /// same configuration again.
    public var random: @Sendable (ClosedRange<Int>) -> Int
    /// Whether the machine has a user of that name, and a group where one is named.
    public var hasUser: @Sendable (_ user: String, _ group: String?) -> Bool
    /// Whether a host's name leads to an address.
    public var hasHost: @Sendable (_ name: String) -> Bool
    /// How many processors are online, numbered from 0.
    public var processors: Int
    /// Whether the blocks of virtual servers are read. With `-P` nobody does: what is wrong in
    /// them stops nobody, but for a test of the file, which reads all of it.
    public var readsVirtualServers: Bool

    /// A context; by default that of no machine in particular, which has every user and
    /// finds every host.
    public init(
        configID: String? = nil, workingDirectory: String = "/",
        includeChecks: IncludeChecks = [],
        random: @escaping @Sendable (ClosedRange<Int>) -> Int = { $0.lowerBound },
        hasUser: @escaping @Sendable (_ user: String, _ group: String?) -> Bool = { _, _ in true },
        hasHost: @escaping @Sendable (_ name: String) -> Bool = { _ in true },
        processors: Int = Int(Int32.max), readsVirtualServers: Bool = true
    ) {
        self.configID = configID
        self.workingDirectory = workingDirectory
        self.includeChecks = includeChecks
        self.random = random
        self.hasUser = hasUser
        self.hasHost = hasHost
        self.processors = processors
        self.readsVirtualServers = readsVirtualServers
    }

    /// The id that a host of that name has unless `-i` gives another.
    public static func configID(ofHost name: String) -> String {
        String(decoding: name.utf8.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
    }
}

/// What an `include` wants of the files it names; without what it wants, keepalived does not run.
public struct IncludeChecks: OptionSet, Hashable, Sendable {
    /// The checks as bits.
    public let rawValue: UInt8

    /// The checks of those bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `read`, `includer`: each is a regular file, not executable, that can be read.
    public static let readable = IncludeChecks(rawValue: 1)
    /// `match`, `includem`: a file that is named without wildcards exists.
    public static let match = IncludeChecks(rawValue: 2)
    /// `wildcard_match`, `includew`: a pattern matches something.
    public static let wildcardMatch = IncludeChecks(rawValue: 4)
    /// `brace_match`, `includeb`: each alternative in braces matches something.
    public static let braceMatch = IncludeChecks(rawValue: 8)
    /// `includea`, `-e`, `include_check` alone.
    public static let all: IncludeChecks = [.readable, .match, .wildcardMatch, .braceMatch]
}

/// The files that an `include` can find: a view of a file system, or of a lab's files.
///
/// Paths are absolute, or relative to what the main file's name is relative to.
public struct ConfigurationFiles {
    /// What is found at a path.
    public enum Content: Hashable, Sendable {
        /// A regular file, with its text.
        case text(String)
        /// A folder.
        case folder
        /// Neither: or a regular file that may be executed, which keepalived does not read.
        case irregular
        /// A file that cannot be read, and why, as `strerror` words it.
        case unreadable(String)
    }

    /// What is at a path; nil: nothing.
    public var content: (_ path: String) -> Content?
    /// The names in a folder, in any order, without `.` and `..`; nil where there is no such
    /// folder. The empty path is the folder that relative paths count from.
    public var names: (_ folder: String) -> [String]?

    /// A view with these two questions.
    public init(
        content: @escaping (_ path: String) -> Content?,
        names: @escaping (_ folder: String) -> [String]?
    ) {
        self.content = content
        self.names = names
    }
}
