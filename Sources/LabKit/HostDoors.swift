import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

/// What a lab has of its host's network: made where the lab is started, before anything of the lab
/// is there, and handed to its supervisor, in whose own namespaces there is nothing of the host.
struct HostDoors {
    /// One listening socket for each published port, in the order of the lab.
    var listeners: [SharedDescriptor] = []

    /// The number of a supervisor's first descriptor of these; those before are its own.
    static let firstDescriptor: CInt = 5

    /// Opens what a lab wants of the host, in the calling thread's network namespace.
    ///
    /// - Parameter lab: gets the numbers of ports that are left to the kernel.
    /// - Throws: ``LabError/machine(_:)`` where a port is taken, or the address is not the host's.
    init(for lab: inout Lab) throws(LabError) {
        for place in lab.published.indices {
            let port = lab.published[place]
            do throws(SystemError) {
                let listener = try TCPSocket.listen(on: port.hostAddress, port: port.hostPort)
                lab.published[place].hostPort = try TCPSocket.port(of: listener)
                listeners.append(listener)
            } catch {
                throw .machine("\(port.host) cannot be published: \(Self.reason(error.code))")
            }
        }
    }

    /// What a supervisor was given for that lab, as it was started.
    init(inheritedFor lab: Lab) {
        listeners = lab.published.indices.map {
            SharedDescriptor(OwnedDescriptor(Self.firstDescriptor + CInt($0)))
        }
    }

    /// The descriptors, in the order in which the supervisor gets them.
    var descriptors: [CInt] { listeners.map(\.rawValue) }

    /// Lets go of all of it: it is the supervisor's.
    func close() { for listener in listeners { listener.close() } }

    private static func reason(_ code: Errno) -> String {
        switch code {
        case .addressInUse:
            "somebody listens there already (see `ss -ltnp`); publish on another port, or on 0 "
                + "for any that is free"
        case .addressNotAvailable: "the address is none of this machine's"
        case .permissionDenied:
            "ports below \(unprivilegedStart) are for root: publish on a higher one"
        default: code.text
        }
    }

    /// The first port that everybody may listen on (ip(7), ip_unprivileged_port_start).
    private static var unprivilegedStart: Int {
        let path = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
        let text = (try? FileSystem.readText(path)) ?? ""
        return Int(text.prefix { $0.isNumber }) ?? 1024
    }
}
