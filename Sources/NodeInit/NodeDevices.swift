import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The /dev of a node: a small file system of its own with the devices every program expects, and
/// no disk, console or input device of the host's.
struct NodeDevices {
    private struct Device {
        var name: String
        var major: UInt32
        var minor: UInt32
    }

    // The kernel's list of devices (Documentation/admin-guide/devices.txt).
    private static let devices = [
        Device(name: "null", major: 1, minor: 3), Device(name: "zero", major: 1, minor: 5),
        Device(name: "full", major: 1, minor: 7), Device(name: "random", major: 1, minor: 8),
        Device(name: "urandom", major: 1, minor: 9), Device(name: "tty", major: 5, minor: 0),
    ]
    private static let tunnel = Device(name: "net/tun", major: 10, minor: 200)
    private static let links = [
        ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ]
    /// The group that may write to everybody's terminals (Debian's `tty`).
    static let terminalGroup: UInt32 = 5

    private let folder: String

    /// - Parameter root: the node's root, as the calling process sees it.
    init(root: String) { folder = "\(root)/dev" }

    /// Mounts and fills it.
    func make() throws(SystemError) {
        try Mount.mount(
            "tmpfs", source: "dev", on: folder, flags: [.noSetUID], data: "mode=755,size=64k")
        for name in ["pts", "shm", "net"] {
            try systemCall("make folder \(folder)/\(name)") { mkdir("\(folder)/\(name)", 0o755) }
        }
        // Devices are made with their modes as they are, which a umask would cut.
        let mask = clinux_umask(0)
        defer { _ = clinux_umask(mask) }
        for device in Self.devices { try make(device) }
        if FileSystem.exists("/dev/net/tun") { try make(Self.tunnel) }
        for (name, target) in Self.links {
            try systemCall("link \(folder)/\(name)") { symlink(target, "\(folder)/\(name)") }
        }
        // In a user namespace that group may not be there.
        let group = IDMap.isRootAlone ? "" : ",gid=\(Self.terminalGroup)"
        try Mount.mount(
            "devpts", on: "\(folder)/pts", flags: [.noSetUID, .noExecution],
            data: "newinstance,ptmxmode=0666,mode=0620\(group)")
        try Mount.mount(
            "tmpfs", source: "shm", on: "\(folder)/shm", flags: [.noSetUID, .noDevices],
            data: "mode=1777")
    }

    private func make(_ device: Device) throws(SystemError) {
        let path = "\(folder)/\(device.name)"
        do {
            try systemCall("make device \(path)") {
                clinux_mknod(path, CLINUX_S_IFCHR | 0o666, device.major, device.minor)
            }
        } catch  where error.code == .notPermitted {
            // In a user namespace no devices can be made; the host's do as well.
            try FileSystem.write([], to: path)
            try Mount.bind("/dev/\(device.name)", on: path, isRecursive: false)
        }
    }
}
