import Netlink
import NetworkTypes
import SystemPackage

/// The kernel's load balancer, as far as there is one.
///
/// Where the kernel has none, keepalived ends, and its virtual routers with it. Here that is said
/// once, and all the rest goes on: checks, scripts and FIFOs tell of machines that live and die.
final class IPVSTable {
    private let socket: IPVSSocket?
    private let log: (String) -> Void

    init(log: @escaping (String) -> Void) {
        self.log = log
        do throws(NetlinkError) {
            socket = try IPVSSocket()
        } catch {
            socket = nil
            log("IPVS: Can't initialize ipvs: \(error.code.description)")
            log("health is checked all the same; nothing is balanced: load ip_vs and start again")
        }
    }

    /// Whether there is a table to change.
    var isPresent: Bool { socket != nil }

    /// Changes the table; what the kernel refuses is said, and no more than that. A destination
    /// that is to change and is not there is added.
    func perform(_ command: IPVSCommand) {
        guard let refusal = refusal(of: command) else { return }
        guard case .editDestination(let destination, let service) = command,
            refusal.reason == .noSuchFileOrDirectory
        else { return log(refusal.line) }
        perform(.addDestination(destination, to: service))
    }

    private func refusal(of command: IPVSCommand) -> IPVSRefusal? {
        do throws(NetlinkError) {
            try socket?.perform(command)
            return nil
        } catch {
            return IPVSRefusal(of: command, error.code)
        }
    }
}
