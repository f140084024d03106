import CLinux
import Glibc

/// Standard error, as the place where programs say what goes wrong.
public enum StandardError {
    /// Writes a line, in one piece.
    public static func print(_ text: String) {
        // Straight to the descriptor: the C library's stream is shared mutable state, and buffers.
        try? FileSystem.writeAll(Array((text + "\n").utf8)[...], to: STDERR_FILENO, name: "stderr")
    }
}
