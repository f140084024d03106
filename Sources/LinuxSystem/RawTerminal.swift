import CLinux
import Glibc

/// A terminal (termios(3)) that passes every byte on as it is typed, until ``restore()``.
///
/// What shows on it is not touched.
public final class RawTerminal {
    private let descriptor: CInt
    private var before: termios?

    /// Takes the terminal over; nothing happens to what is none.
    public init(_ descriptor: CInt) {
        self.descriptor = descriptor
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return }
        before = settings
        cfmakeraw(&settings)
        tcsetattr(descriptor, TCSANOW, &settings)
    }

    /// Gives the terminal back as it was.
    public func restore() {
        guard var before else { return }
        tcsetattr(descriptor, TCSANOW, &before)
        self.before = nil
    }
}
