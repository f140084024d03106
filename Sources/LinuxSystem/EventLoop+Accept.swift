import SystemPackage

extension EventLoop {
    /// How long nobody is let in after one could not be, for want of a descriptor as a rule:
    /// whoever waits would be reported again and again.
    private static let acceptPause = Duration.milliseconds(100)

    /// Gives every connection of a listening, non-blocking socket to `handler`.
    ///
    /// - Throws: ``SystemError`` when the socket cannot be watched.
    public func accept(
        _ listener: SharedDescriptor, handler: @escaping (consuming OwnedDescriptor) -> Void
    ) throws(SystemError) {
        try add(listener.rawValue, .readable) { [unowned self] _ in
            do {
                while let connection = try UnixSocket.accept(listener) { handler(connection) }
            } catch {
                remove(listener.rawValue)
                acceptLater(listener, handler: handler)
            }
        }
    }

    private func acceptLater(
        _ listener: SharedDescriptor, handler: @escaping (consuming OwnedDescriptor) -> Void
    ) {
        schedule(after: Self.acceptPause) { [unowned self] in
            do {
                try accept(listener, handler: handler)
            } catch { acceptLater(listener, handler: handler) }
        }
    }
}
