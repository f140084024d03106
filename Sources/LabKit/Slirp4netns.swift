import CLinux
import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// slirp4netns(1), by which an ordinary user's lab gets out: what comes out of a tap device in the
/// lab it sends on by sockets of its own, which are the user's like any other's.
///
/// It has to be where the host's network is, and there the supervisor cannot be: so the launcher
/// starts it, once the supervisor has said which namespace the tap device belongs into. It ends
/// with a pipe that the supervisor alone holds (`--exit-fd`), however that one ends.
struct Slirp4netns {
    /// The supervisor's ends of its pipes.
    struct Ends {
        /// A byte can be read there when the tap device is set up.
        var ready: SharedDescriptor
        /// What it prints; at its end when the program has ended.
        var output: SharedDescriptor
        /// The program ends when this is closed.
        var life: SharedDescriptor

        /// In the order in which the supervisor gets them.
        var descriptors: [SharedDescriptor] { [ready, output, life] }
    }

    /// The name of its device in the lab. No network can be called so: `~` is for names that are
    /// made.
    static let device: InterfaceName = {
        guard let name = InterfaceName("tap~") else { preconditionFailure("a valid name") }
        return name
    }()

    /// A larger network than it needs: its own addresses are the second and the hundredth.
    private static let prefixLength = 24
    /// What Ethernet has, and so most nodes.
    private static let mtuBytes = 1500
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    let ends: Ends
    private let network: IPPrefix
    private let ready: SharedDescriptor
    private let output: SharedDescriptor
    private let life: SharedDescriptor

    /// Makes the pipes, and looks for addresses that neither the lab nor the host has use for, in
    /// the calling thread's network namespace: the host's.
    ///
    /// - Throws: ``LabError/machine(_:)`` with the remedy where it cannot be had; ``SystemError``,
    ///   ``NetlinkError``.
    init(for lab: Lab) throws {
        if let lack = Self.lack {
            throw LabError.machine(
                "networks of an ordinary user get out by NAT with slirp4netns: \(lack)")
        }
        let taken =
            try RouteSocket().routes(.v4).map(\.destination) + lab.networks.flatMap(\.subnets)
        guard
            let network = TransitNetwork.choose(
                for: lab.name, besides: taken, length: Self.prefixLength)
        else { throw TransitNetwork.exhausted }
        self.network = network
        let (ready, output, life) = (try Pipe.make(), try Pipe.make(), try Pipe.make())
        (self.ready, self.output, self.life) = (ready.writeEnd, output.writeEnd, life.readEnd)
        ends = Ends(ready: ready.readEnd, output: output.readEnd, life: life.writeEnd)
    }

    /// Why it cannot be had on this machine, and how to get it; nil when it can.
    static var lack: String? {
        for (name, package) in [
            ("slirp4netns", "slirp4netns"), ("nsenter", "util-linux"), ("setsid", "util-linux"),
        ] where Program.lookUp(name, path: path) == nil {
            return "\(name) is not installed: apt-get install \(package)"
        }
        let tun = "/dev/net/tun"
        do throws(SystemError) {
            _ = OwnedDescriptor(
                try systemCall("open \(tun)") { clinux_open(tun, O_RDWR | O_CLOEXEC, 0) })
            return nil
        } catch {
            let remedy =
                error.code == .permissionDenied
                ? "chmod 666 \(tun), as udev has it"
                : "modprobe tun; in a container, give it the device (docker: --device \(tun))"
            return "\(error); as root, \(remedy)"
        }
    }

    /// Starts it for a namespace of the supervisor's. What goes wrong is said as if the program
    /// had said it: the supervisor waits for one or the other.
    ///
    /// It joins the supervisor's user namespace first, whose root may make devices there and shut
    /// the program up in a sandbox; and it is nobody's child but init's, since who starts the lab
    /// may be there for long, or end at once.
    ///
    /// - Parameters:
    ///   - supervisor: its process id.
    ///   - namespace: the number of its descriptor of the network namespace.
    func start(for supervisor: Int32, namespace: CInt) {
        do throws(SystemError) {
            let null = try OwnedDescriptor.null()
            let programs = ["setsid", "nsenter", "slirp4netns"].compactMap {
                Program.lookUp($0, path: Self.path)
            }
            guard programs.count == 3 else {
                throw SystemError("run slirp4netns", .noSuchFileOrDirectory)
            }
            let arguments = [
                "setsid", "--fork", programs[1], "--user=/proc/\(supervisor)/ns/user",
                "--preserve-credentials", programs[2], "--configure", "--mtu=\(Self.mtuBytes)",
                "--cidr=\(network)", "--disable-host-loopback", "--disable-dns",
                "--enable-sandbox", "--enable-seccomp", "--netns-type=path", "--ready-fd=3",
                "--exit-fd=4", "/proc/\(supervisor)/fd/\(namespace)", Self.device.text,
            ]
            let started = try Program(
                path: programs[0], arguments: arguments, environment: ["PATH=\(Self.path)"],
                descriptors: [null.rawValue] + [output, output, ready, life].map(\.rawValue)
            ).start()
            started.awaitEnd()
        } catch {
            try? FileSystem.writeAll(
                Array("\(error)\n".utf8)[...], to: output.rawValue, name: "slirp4netns")
        }
        for descriptor in [ready, output, life] { descriptor.close() }
    }
}
