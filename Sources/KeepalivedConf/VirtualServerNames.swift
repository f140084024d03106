public import NetworkTypes

// How keepalived names services in its log, for its FIFOs and in mail.

extension VirtualServer {
    /// `[192.0.2.1]:tcp:80`, `FWM 1`, `[GROUP]:0`.
    public var title: String {
        switch target {
        case .group(let name): "[\(name)]:0"
        case .firewallMark(let mark): "FWM \(mark)"
        case .address(let address, let port): title(of: address, port)
        }
    }

    /// `[192.0.2.10]:tcp:80`: a machine behind it.
    public func title(of server: RealServer) -> String { title(of: server.address, server.port) }

    /// An address, with the protocol that is balanced.
    public func title(of address: IPAddress, _ port: UInt16?) -> String {
        let name =
            switch transportProtocol {
            case .tcp: "tcp"
            case .udp: "udp"
            case .sctp: "sctp"
            case nil: "none"
            }
        return "[\(address)]:\(name):\(port ?? 0)"
    }
}
