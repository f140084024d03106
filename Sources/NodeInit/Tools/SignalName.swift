/// Signals by name (signal(7)), with Linux's numbers on every architecture but MIPS and the like.
enum SignalName {
    private static let names = [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
        "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
        "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ]

    /// The name of a signal, without `SIG`; nil for a real-time signal.
    static func name(of number: Int32) -> String? {
        names.indices.dropFirst().contains(Int(number)) ? names[Int(number)] : nil
    }

    /// The signal that a word means: `HUP`, `SIGHUP`, `1`; nil for none.
    static func number(of word: String) -> Int32? {
        if let number = Int32(word) { return (1...64).contains(number) ? number : nil }
        let word = word.uppercased()
        let name = word.hasPrefix("SIG") ? String(word.dropFirst(3)) : word
        return names.dropFirst().firstIndex(of: name).map(Int32.init)
    }
}
