import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// Reads keepalived.conf and what it includes.
enum ConfigurationFile {
    /// No configuration is longer: what is, is some other file.
    private static let maximumBytes = 16 << 20

    /// Reads the file that the command line names, as the command line says.
    ///
    /// - Parameter hostPatience: how long the name of a mail server may take to be found before it
    ///   is complained of; nil to leave that until there is a mail.
    /// - Throws: ``SystemError`` when the file itself cannot be read.
    static func read(
        _ options: Options, hostPatience: Duration? = nil
    ) throws(SystemError) -> ParsedConfiguration {
        let path = options.configurationFile
        let users = (try? UserDatabase.ofMachine()) ?? UserDatabase(passwd: "", group: "")
        let context = ConfigurationContext(
            configID: options.configID
                ?? ConfigurationContext.configID(ofHost: HostInformation.hostName),
            workingDirectory: options.detachedFrom == nil ? try FileSystem.workingFolder() : "/",
            includeChecks: options.checksIncludes ? .all : [],
            random: { Int.random(in: $0) },
            hasUser: { user, group in
                // As keepalived, which looks for names only.
                users.user(named: user) != nil
                    && group.map { users.groupID(named: $0) != nil } ?? true
            },
            hasHost: { name in hostPatience.map { hasHost(name, within: $0) } ?? true },
            processors: HostInformation.processors,
            readsVirtualServers: !options.omitsCheckers || options.testsConfiguration
                || options.printsConfiguration)
        var parsed = Configuration.parse(
            try text(path), file: path, context: context, files: files)
        if options.checksOnly { parsed.configuration.leaveVRRPOut() }
        return parsed
    }

    /// Whether a name leads to an address, as far as the answer comes in time: one that does not
    /// come tells nothing.
    private static func hasHost(_ name: String, within patience: Duration) -> Bool {
        if HostTable.ofMachine.address(of: name) != nil { return true }
        guard let loop = try? EventLoop(),
            let environment = try? ProcessEntry.environment(of: getpid()),
            let launcher = try? CommandLauncher(loop: loop, environment: environment)
        else { return true }
        var isKnown = false
        let begin = MonotonicClock.now
        let lookup = AddressLookup(
            name, timeout: patience, launcher: launcher, loop: loop
        ) { address in
            isKnown = address != nil
            loop.stop()
        }
        return withExtendedLifetime(lookup) {
            try? loop.run()
            return isKnown || MonotonicClock.now - begin >= patience
        }
    }

    /// Reads the machine's interfaces, corrects what was read for them, and says what was wrong.
    ///
    /// - Returns: whether an interface is there for each that keepalived wants: it looks no further
    ///   otherwise, not even at scripts.
    /// - Throws: ``NetlinkError`` or ``SystemError`` where the kernel does not tell.
    @discardableResult
    static func adapt(_ parsed: inout ParsedConfiguration) throws -> Bool {
        let links = try RouteSocket().links()
        let names = Set(links.map(\.name))
        let usable = Set(
            links.filter { $0.kind == "macvlan" && $0.macvlanMode == VirtualLink.privateMode }
                .map(\.name))
        parsed.diagnostics += parsed.configuration.renameVirtualInterfaces {
            names.contains($0.text) && !usable.contains($0.text)
        }
        let deaf = Set(links.filter { !$0.flags.contains(.multicast) }.map(\.name))
        parsed.diagnostics += parsed.configuration.disableInstances { deaf.contains($0.text) }
        let missing = parsed.diagnosticsForMissingInterfaces { names.contains($0.text) }
        parsed.diagnostics += missing
        return !missing.contains { $0.kind == .refused }
    }

    /// What an `include` finds: keepalived reads regular files that are not executable.
    private static var files: ConfigurationFiles {
        ConfigurationFiles(
            content: { path in
                switch FileSystem.entry(path.isEmpty ? "." : path) {
                case nil: return nil
                case .folder?: return .folder
                case .link?, .file?, .other?: return content(path)
                }
            },
            names: { folder in try? FileSystem.list(folder.isEmpty ? "." : folder) })
    }

    private static func content(_ path: String) -> ConfigurationFiles.Content {
        if FileSystem.isFolder(path) { return .folder }
        guard FileSystem.isRegularFile(path), !FileSystem.hasExecutePermission(path) else {
            return .irregular
        }
        do throws(SystemError) {
            return .text(try text(path))
        } catch {
            return .unreadable(error.code.description)
        }
    }

    private static func text(_ path: String) throws(SystemError) -> String {
        String(decoding: try FileSystem.read(path, limitBytes: maximumBytes), as: UTF8.self)
    }
}

extension Configuration {
    /// Leaves only what the checkers' process reads: `-C`.
    fileprivate mutating func leaveVRRPOut() {
        var own = Configuration()
        own.global = global
        own.virtualServerGroups = virtualServerGroups
        own.virtualServers = virtualServers
        self = own
    }
}
