import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A line of sysctl.d(5): what the node's own files make of its kernel parameters at every boot,
/// as systemd-sysctl would.
package struct SysctlSetting: Equatable {
    /// The parameter's name, or a shell pattern for several.
    var name: String
    /// Nil for a name alone, which patterns are to leave out.
    var value: String?
    /// Whether it may fail without a word: its line begins with a hyphen.
    var mayFail = false

    /// The lines of a file that are neither empty nor comments.
    package static func settings(in text: String) -> [SysctlSetting] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            var line = trimmed(line)
            guard let first = line.first, first != "#", first != ";" else { return nil }
            let mayFail = first == "-"
            if mayFail { line = line.dropFirst() }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return SysctlSetting(
                name: String(trimmed(parts[0])),
                value: parts.count == 2 ? String(trimmed(parts[1])) : nil, mayFail: mayFail)
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return text
    }
}

extension SysctlSetting {
    /// What has become of a setting: files to be written, or why there are none.
    package enum Resolution: Equatable {
        case write(String, to: String, mayFail: Bool)
        case refuse(String)
    }

    /// The files behind settings, in order. A pattern leaves out what is named by itself.
    ///
    /// - Parameter paths: the files that match a pattern.
    package static func resolve(
        _ settings: [SysctlSetting], paths: (String) -> [String]
    ) -> [Resolution] {
        let named = Set(settings.filter { !$0.isPattern }.map { KernelParameter.path(of: $0.name) })
        return settings.flatMap { setting -> [Resolution] in
            guard let value = setting.value else {
                return setting.mayFail ? [] : [.refuse("\(setting.name): not an assignment")]
            }
            let path = KernelParameter.path(of: setting.name)
            guard KernelParameter.isNetwork(path) else {
                return setting.mayFail ? [] : [.refuse("\(setting.name): not the node's own")]
            }
            let files =
                setting.isPattern
                ? paths(path).filter { !named.contains($0) && KernelParameter.isNetwork($0) }
                : [path]
            return files.map { .write(value, to: $0, mayFail: setting.mayFail) }
        }
    }

    private var isPattern: Bool { name.contains { "*?[".contains($0) } }

    /// Sets what can be set; says what cannot.
    static func apply(_ settings: [SysctlSetting]) {
        for resolution in resolve(settings, paths: FileSystem.paths(matching:)) {
            switch resolution {
            case .refuse(let reason): Log.write("sysctl \(reason)")
            case .write(let value, let path, let mayFail):
                do {
                    try FileSystem.writeParameter(value, to: path)
                } catch {
                    if !mayFail { Log.write("sysctl: \(error)") }
                }
            }
        }
    }
}

extension SysctlSetting {
    private static let folder = "sysctl.d"
    private static let file = "sysctl.conf"

    /// What the node's files say: those that are in its own layer of /etc. What shows through from
    /// the host's /etc is about the host.
    ///
    /// - Parameter layers: the folder of the node's layers. The node's root is the caller's.
    static func ofNode(layers: borrowing OwnedDescriptor) -> [SysctlSetting] {
        var names = FileSystem.isFolder("/etc/\(folder)") ? list("/etc/\(folder)") : []
        names = names.filter { $0.hasSuffix(".conf") }.map { "\(folder)/\($0)" } + [file]
        var settings: [SysctlSetting] = []
        for name in names where FileSystem.isRegularFile("/etc/\(name)") {
            do {
                let bytes = try own(name, layers: layers)
                settings += self.settings(in: String(decoding: bytes, as: UTF8.self))
            } catch {
                // Without one of its own, what shows is the host's.
                if error.code != .noSuchFileOrDirectory { Log.write("sysctl: \(error)") }
            }
        }
        return settings
    }

    /// A file of the node's own layer of /etc, which a link into the host's does not lead out of.
    private static func own(
        _ name: String, layers: borrowing OwnedDescriptor
    ) throws(SystemError) -> [UInt8] {
        let layer = try OwnedDescriptor.open(
            beneath: layers, path: Array(NodeLayers.upper(of: "etc").utf8),
            flags: O_RDONLY | O_DIRECTORY)
        let file = try OwnedDescriptor.open(
            beneath: layer, path: Array(name.utf8), flags: O_RDONLY | O_NONBLOCK)
        return try FileSystem.readAll(file.rawValue, name: "/etc/\(name)")
    }

    private static func list(_ folder: String) -> [String] {
        do {
            return try FileSystem.list(folder)
        } catch {
            Log.write("sysctl: \(error)")
            return []
        }
    }
}
