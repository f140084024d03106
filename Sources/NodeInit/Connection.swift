import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol

/// A message channel on the event loop: what does not go out at once follows when the socket takes
/// it.
final class Connection {
    private let channel: MessageChannel
    private let loop: EventLoop
    private let onMessage: (MessageChannel.Message) -> Void
    private let onClose: () -> Void
    private var isOpen = true

    /// - Parameters:
    ///   - onMessage: gets each message, in order.
    ///   - onClose: called once, when the other end is gone; not after ``close()``.
    init(
        _ socket: consuming OwnedDescriptor, loop: EventLoop,
        onMessage: @escaping (MessageChannel.Message) -> Void, onClose: @escaping () -> Void
    ) throws(SystemError) {
        channel = try MessageChannel(socket)
        self.loop = loop
        self.onMessage = onMessage
        self.onClose = onClose
        try loop.add(channel.socket.rawValue, .readable) { [weak self] in self?.handle($0) }
    }

    /// Sends a message, now or as soon as it fits.
    func send(_ value: some WireCodable, descriptors: [SharedDescriptor] = []) {
        guard isOpen else { return }
        do {
            try channel.send(value.message, descriptors: descriptors)
            if channel.hasPendingOutput {
                try loop.modify(channel.socket.rawValue, [.readable, .writable])
            }
        } catch {
            // The other end is gone. The loop says so, too, and not in the middle of whoever sends.
        }
    }

    /// Waits until everything has been sent, the other end is gone or the time is over.
    func drain(limit: Duration) {
        let deadline = MonotonicClock.now + limit
        while isOpen, channel.hasPendingOutput {
            let rest = (deadline - MonotonicClock.now).wholeNanoseconds / 1_000_000
            var request = pollfd(
                fd: channel.socket.rawValue, events: Int16(POLLOUT), revents: 0)
            guard rest > 0, poll(&request, 1, Int32(rest)) > 0 else { return }
            do { try channel.flush() } catch { return }  // The other end is gone.
        }
    }

    /// Closes it; what has not been sent is lost.
    func close() {
        guard isOpen else { return }
        isOpen = false
        loop.remove(channel.socket.rawValue)
        channel.socket.close()
    }

    private func handle(_ interest: EventLoop.Interest) {
        do {
            if interest.contains(.writable) {
                try channel.flush()
                if !channel.hasPendingOutput {
                    try loop.modify(channel.socket.rawValue, .readable)
                }
            }
            let (messages, isAtEnd) = try channel.receive()
            for message in messages where isOpen { onMessage(message) }
            if isAtEnd { end() }
        } catch {
            end()  // A broken connection is an ended one.
        }
    }

    private func end() {
        guard isOpen else { return }
        close()
        onClose()
    }
}
