import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import SystemPackage

/// The file system of a node, built in the mount namespace it was started in.
///
/// The root is a folder of the lab's disk. Into it come the host's top-level entries: links as
/// links, folders read-only, except those the node may write to, which get a layer of its own.
/// Nothing written in the node reaches the host: no file, and no device, socket or FIFO either,
/// which a read-only mount would not protect.
struct NodeRoot {
    /// The host's folders that the node may write to: a private overlay over each.
    static let layered = ["etc", "var", "root", "home", "srv", "opt"]
    /// Of these nothing of the host's own shows in a user namespace.
    private static let hidden = ["etc", "var/log"]
    /// Folders that the node has for itself; nothing of the host's shows in them.
    static let own = ["proc", "sys", "dev", "run", "tmp"]
    /// Folders in which a host has what is nobody's but its own: disks, and the kernel it boots.
    private static let withheld = ["boot", "lost+found", "media", "mnt"]
    /// Folders of nothing but programs and what belongs to them.
    private static let plain = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"]
    /// Where our programs are, first in PATH.
    static let programsFolder = "/run/labctl/bin"
    /// Links to our tools, in folders that are laid over those of the same names.
    private static let coversFolder = "/run/labctl/covers"
    /// Where the host's programs are that are called by their paths.
    private static let hostToolsFolders = ["/usr/bin", "/usr/sbin"]
    /// Links by which our programs run under the names of units.
    static let unitsFolder = "/run/labctl/units"
    /// The sockets of sd_notify(3), one per unit.
    static let notifyFolder = "/run/labctl/notify"
    /// What the services have printed, a file each.
    static let outputFolder = "/run/labctl/output"
    /// Where PID 1 listens for the node's own `systemctl` and the like.
    static let managerSocket = "/run/labctl/manager"
    /// PID 1's own program, as which it also runs under the names of ``Tool``.
    private static let ownProgram = "\(programsFolder)/node-init"

    let specification: NodeSpecification
    private var root: String { specification.rootFolder }

    init(_ specification: NodeSpecification) { self.specification = specification }

    /// Builds it and makes it the root of the calling process.
    ///
    /// - Throws: ``SystemError`` of the step that failed; the namespace is then of no use.
    func build() throws(SystemError) {
        try Mount.makeAllPrivate()
        try FileSystem.makeFolders(root)
        // pivot_root(2) wants a mount point.
        try Mount.bind(root, on: root, isRecursive: false)
        let isMerged = try merge()
        let layers = try bindHost(isMerged: isMerged)
        for name in layers { try layer(name, isMerged: isMerged) }
        // What the host's daemons have logged nobody could write to here.
        if hasMirror("var/log") { try layer("var/log", key: ".log", isMerged: false) }
        try mountOwn()
        try NodeDevices(root: root).make()
        try bindPrograms()
        try bindOutput()
        try Mount.pivot(to: root)
        try coverHostTools()
        try protectHost()
    }

    /// Binds the host's folders; answers which of them are to be layered.
    private func bindHost(isMerged: Bool) throws(SystemError) -> [String] {
        var layers: [String] = []
        for name in Self.own + Self.withheld { try makeFolder("\(root)/\(name)") }
        for name in try FileSystem.list("/")
        where !Self.own.contains(name) && !Self.withheld.contains(name) {
            switch FileSystem.entry("/\(name)") {
            case .link(let target): try copyLink("\(root)/\(name)", to: target)
            case .folder:
                try makeFolder("\(root)/\(name)")
                if Self.layered.contains(name) {
                    layers.append(name)
                } else if Self.plain.contains(name) {
                    try Mount.bind("/\(name)", on: "\(root)/\(name)")
                } else {
                    try show(name, isMerged: isMerged)
                }
            case .file, .other, nil: continue  // Nothing that a program would look for.
            }
        }
        // All at once: two calls instead of one for each folder.
        try Mount.makeReadOnly(root, hasDevices: false)
        try Mount.makeWritable(root, allowsSetUID: true)
        return layers
    }

    /// Shows a folder of the host's without its sockets and FIFOs being the host's: those of an
    /// overlay lead to nobody. It is there to be read only.
    private func show(_ name: String, isMerged: Bool) throws(SystemError) {
        if isMerged, isOnRoot(name) { return try bindMerged(name) }
        // They separate an overlay's options.
        guard !name.contains(where: { ",:\\".contains($0) }) else { return }
        do {
            try Mount.mount(
                "overlay", on: "\(root)/\(name)",
                // It wants two layers: the second is a folder with nothing in it.
                data: "lowerdir=/\(name):\(root)/proc")
        } catch  where error.code == .invalidArgument {
            // A file system that cannot be a layer: the node does without it.
        }
    }

    /// Makes one overlay of the host's root file system and the node's layer, of which folders are
    /// then bound: to make one for each is dearer.
    ///
    /// - Returns: whether that was to be had: not where the layers are on that file system, too
    ///   (ELOOP), and not in a user namespace, where what is mounted below hides what nobody is to
    ///   see (EINVAL; has_locked_children, fs/namespace.c).
    private func merge() throws(SystemError) -> Bool {
        // Relative, because a comma or colon in an overlay's options would have to be escaped.
        try systemCall("enter \(specification.layersFolder)") {
            chdir(specification.layersFolder)
        }
        // In a user namespace each folder has a layer more.
        if specification.hostMirror != nil { return false }
        for folder in [NodeLayers.upper, NodeLayers.work, NodeLayers.merged] {
            try makeFolder(folder)
        }
        do {
            try Mount.mount(
                "overlay", on: NodeLayers.merged, flags: [.noDevices],
                data: "lowerdir=/,upperdir=\(NodeLayers.upper),workdir=\(NodeLayers.work)")
            return true
        } catch
            where error.code == .invalidArgument || error.code == .tooManySymbolicLinkLevels
        {
            return false
        }
    }

    /// Whether a folder of the host's is a part of what ``merge()`` shows.
    private func isOnRoot(_ name: String) -> Bool {
        NodeLayers.device("/\(name)") == NodeLayers.device("/")
    }

    private func bindMerged(_ name: String) throws(SystemError) {
        try Mount.bind("\(NodeLayers.merged)/\(name)", on: "\(root)/\(name)", isRecursive: false)
    }

    /// Lays the node's own layer over a folder of the host's.
    ///
    /// - Parameter key: the name of its layers; nil for the folder's own.
    private func layer(
        _ name: String, key: String? = nil, isMerged: Bool
    ) throws(SystemError) {
        if isMerged, isOnRoot(name) { return try bindMerged(name) }
        let upper = NodeLayers.upper(of: key ?? name)
        let work = "\(key ?? name).work"
        let lower = lowerLayers(of: name)
        if !FileSystem.isFolder(work) {
            try FileSystem.makeFolders(upper)
            try FileSystem.makeFolders(work)
            // The merged folder shows the upper one's mode and owner: /root must stay 0700.
            let shown = lower[0]
            var host = stat()
            try systemCall("look at \(shown)") { stat(shown, &host) }
            try systemCall("set the owner of \(upper)") { chown(upper, host.st_uid, host.st_gid) }
            try systemCall("set the mode of \(upper)") { chmod(upper, host.st_mode & 0o7777) }
        }
        func mount(_ lower: [String]) throws(SystemError) {
            try Mount.mount(
                "overlay", on: "\(root)/\(name)", flags: [.noDevices],
                data: "lowerdir=\(lower.joined(separator: ":")),upperdir=\(upper),workdir=\(work)"
                    + (specification.hostMirror == nil ? "" : ",userxattr"))
        }
        do {
            try mount(lower)
        } catch  where error.code == .invalidArgument && lower.count > 1 {
            // In a user namespace no folder is a layer in which the host has something mounted,
            // which could then be seen below that (clone_private_mount, fs/namespace.c).
            try mount([lower[0]])
        }
    }

    /// What shows through from below, the uppermost first. In a user namespace that is the lab's
    /// own mirror of the host's folder, and below that, where it may be looked into, the folder
    /// itself; of /etc the mirror has everything.
    private func lowerLayers(of name: String) -> [String] {
        guard hasMirror(name), let mirror = specification.hostMirror else { return ["/\(name)"] }
        let isHidden = Self.hidden.contains(name) || access("/\(name)", R_OK | X_OK) != 0
        return ["\(mirror)/\(name)"] + (isHidden ? [] : ["/\(name)"])
    }

    /// Whether the lab has something to stand above a folder of the host's. The working directory
    /// is that of the layers.
    private func hasMirror(_ name: String) -> Bool {
        specification.hostMirror.map { FileSystem.isFolder("\($0)/\(name)") } ?? false
    }

    private func mountOwn() throws(SystemError) {
        try Mount.mount(
            "tmpfs", on: "\(root)/run", flags: [.noSetUID, .noDevices], data: "mode=755")
        for folder in ["lock", "labctl", "labctl/bin", "labctl/units", "labctl/notify"] {
            try makeFolder("\(root)/run/\(folder)")
        }
        for folder in Self.hostToolsFolders {
            try FileSystem.makeFolders(root + Self.coversFolder + folder)
        }
        try Mount.mount(
            "tmpfs", on: "\(root)/tmp", flags: [.noSetUID, .noDevices], data: "mode=1777")
        try Mount.mount("proc", on: "\(root)/proc", flags: [.noSetUID, .noDevices, .noExecution])
        try Mount.mount(
            "sysfs", on: "\(root)/sys", flags: [.readOnly, .noSetUID, .noDevices, .noExecution])
        do {
            try Mount.mount(
                "cgroup2", on: "\(root)/sys/fs/cgroup",
                flags: [.noSetUID, .noDevices, .noExecution])
            // Apart from mounting it: that would make it read-only for the host, too, if this were
            // its first mount.
            try Mount.makeReadOnly("\(root)/sys/fs/cgroup")
        } catch
            where error.code == .operationNotSupportedByDevice
            || error.code == .noSuchFileOrDirectory
        {
            // A kernel without cgroups; no service needs them.
        }
    }

    /// Binds our programs, as files that the node can run and not write.
    private func bindPrograms() throws(SystemError) {
        let folder = root + Self.programsFolder
        try Mount.bind(folder, on: folder, isRecursive: false)
        for program in specification.programs {
            let path = "\(folder)/\(program.name)"
            try FileSystem.write([], to: path, mode: 0o755)
            try Mount.bind(program.hostPath, on: path, isRecursive: false)
        }
        try FileSystem.write([], to: root + Self.ownProgram, mode: 0o755)
        try Mount.bind(
            FileSystem.ownProgram(), on: root + Self.ownProgram, isRecursive: false)
        let places = Self.hostToolsFolders.filter { FileSystem.entry($0) == .folder }
        for tool in Tool.allCases where tool.replacesHosts || !Self.hostHas(tool.rawValue) {
            try copyLink("\(folder)/\(tool.rawValue)", to: "node-init")
            for place in Self.places(of: tool, among: places) {
                try copyLink(
                    "\(root)\(Self.coversFolder)\(place)/\(tool.rawValue)", to: Self.ownProgram)
            }
        }
        try Mount.makeReadOnly(folder, hasDevices: false)
    }

    /// Whether the host brings a program of that name.
    private static func hostHas(_ name: String) -> Bool {
        Program.lookUp(name, path: NodeEnvironment.path) != nil
    }

    /// Shows the node what its services have printed, which the supervisor keeps.
    private func bindOutput() throws(SystemError) {
        try makeFolder(root + Self.outputFolder)
        guard let source = specification.outputFolder else { return }
        try Mount.bind(source, on: root + Self.outputFolder, isRecursive: false)
        try Mount.makeReadOnly(root + Self.outputFolder, hasDevices: false)
    }

    /// The folders a tool is seen in: where Debian has it, and where the host has one that would
    /// look for another PID 1. On a host whose /usr/sbin is a link, that leads to /usr/bin.
    private static func places(of tool: Tool, among folders: [String]) -> [String] {
        let own = folders.contains(tool.folder) ? tool.folder : folders.first
        return folders.filter { folder in
            folder == own
                || tool.replacesHosts && FileSystem.entry("\(folder)/\(tool.rawValue)") == .file
        }
    }

    /// Shows our tools where the host's are, for whoever calls them by their path, as scripts call
    /// /usr/sbin/sendmail, or has a PATH of its own, as a login shell. Links to them
    /// (`/sbin/reboot`) lead to ours as well.
    private func coverHostTools() throws(SystemError) {
        for folder in Self.hostToolsFolders where FileSystem.entry(folder) == .folder {
            // Without an upper layer nobody can write to it.
            try Mount.mount(
                "overlay", on: folder, flags: [.noDevices],
                data: "lowerdir=\(Self.coversFolder)\(folder):\(folder)")
        }
    }

    /// What of the host's /proc shows, where the kernel asks nobody for a capability who writes to
    /// it: PCI devices' registers, processors for interrupts, what wakes the machine.
    private static let hostEntries = [
        "acpi", "asound", "bus", "dynamic_debug", "fs", "irq", "scsi", "sysrq-trigger",
    ]

    /// Makes read-only what /proc shows of the host: its kernel parameters, other than the
    /// network's, which are the node's own; its devices; and the trigger that would crash it.
    private func protectHost() throws(SystemError) {
        try Mount.bind("/proc/sys", on: "/proc/sys", isRecursive: false)
        try Mount.makeReadOnly("/proc/sys")
        try Mount.bind("/proc/sys/net", on: "/proc/sys/net", isRecursive: false)
        try Mount.makeWritable("/proc/sys/net")
        for entry in Self.hostEntries.map({ "/proc/\($0)" }) where FileSystem.exists(entry) {
            try Mount.bind(entry, on: entry, isReadOnly: true, isRecursive: false)
        }
    }

    /// Makes a folder whose parent is there; nothing when it is there from an earlier boot.
    private func makeFolder(_ path: String) throws(SystemError) {
        do {
            try systemCall("make folder \(path)") { mkdir(path, 0o755) }
        } catch  where error.code == .fileExists { return }
    }

    private func copyLink(_ path: String, to target: String) throws(SystemError) {
        do {
            try systemCall("link \(path) to \(target)") { symlink(target, path) }
        } catch  where error.code == .fileExists { return }
    }
}
