import CLinux
import Glibc

/// Signals as events: blocked for the process, read from a descriptor (signalfd(2)).
public final class SignalDescriptor {
    /// The descriptor to watch for reading.
    public let descriptor: SharedDescriptor

    /// Blocks all signals of the calling thread but those a fault raises; children started by
    /// ``Program`` get an empty mask again. The first thing `main` does.
    public static func blockAll() { clinux_block_signals() }

    /// A descriptor that delivers these signals, which must be blocked.
    ///
    /// - Throws: ``SystemError`` when the process has no descriptors left.
    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("make a signal descriptor") {
                    clinux_signal_descriptor(signals, CInt(signals.count))
                }))
    }

    /// The signals that have arrived; several of one kind may have become one.
    public func drain() -> [Int32] {
        var signals: [Int32] = []
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while read(descriptor.rawValue, &information, size) == size {
            signals.append(Int32(information.ssi_signo))
        }
        return signals
    }
}
