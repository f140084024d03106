import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import SystemPackage

/// The connection of a tool to PID 1.
enum ManagerClient {
    /// PID 1 has gone without an answer, as it does when the node is powered off.
    struct Gone: Error, CustomStringConvertible {
        var description: String { "PID 1 has gone" }
    }

    /// Asks PID 1 and waits for its answer, which for a start comes when the service is ready.
    ///
    /// - Throws: ``SystemError`` where PID 1 does not listen: outside of a node.
    static func ask(_ request: UnitRequest) throws -> UnitReply {
        let channel = try MessageChannel(UnixSocket.connect(to: NodeRoot.managerSocket))
        try channel.send(request.message)
        while true {
            var waiting = pollfd(fd: channel.socket.rawValue, events: Int16(POLLIN), revents: 0)
            if channel.hasPendingOutput { waiting.events |= Int16(POLLOUT) }
            while poll(&waiting, 1, -1) < 0, errno == EINTR {}
            try channel.flush()
            let received = try channel.receive()
            if let message = received.messages.first {
                return try UnitReply(message: message.payload)
            }
            if received.isAtEnd { throw Gone() }
        }
    }

    /// Asks PID 1, which has the request when this returns and does it whoever is gone by then.
    ///
    /// - Returns: that it is being done; or that it is refused, which only root's is not.
    /// - Throws: ``SystemError`` where PID 1 does not listen: outside of a node.
    static func tell(_ request: UnitRequest) throws -> UnitReply {
        guard UserDatabase.ownUserID == 0 else { return try ask(request) }
        let channel = try MessageChannel(UnixSocket.connect(to: NodeRoot.managerSocket))
        try channel.send(request.message)
        while channel.hasPendingOutput {
            var waiting = pollfd(fd: channel.socket.rawValue, events: Int16(POLLOUT), revents: 0)
            while poll(&waiting, 1, -1) < 0, errno == EINTR {}
            try channel.flush()
        }
        return .done(changed: true)
    }
}
