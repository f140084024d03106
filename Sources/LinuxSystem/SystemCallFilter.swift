import CLinux
import Glibc
public import SystemPackage

/// Which system calls a process, and all that it starts, may not make (seccomp(2)).
public struct SystemCallFilter {
    /// A call that is answered by the kernel's filter and not carried out, when all conditions
    /// hold.
    public struct Rule: Sendable {
        var number: UInt32
        var conditions: [Condition]
        var answer: UInt16

        /// - Parameters:
        ///   - number: the call's number on this machine.
        ///   - conditions: what its arguments must be; none for whatever they are.
        ///   - answer: the errno that the caller gets; 0 has it believe that it was done.
        public init(_ number: UInt32, _ conditions: [Condition] = [], answer: Errno?) {
            self.number = number
            self.conditions = conditions
            self.answer = UInt16(answer?.rawValue ?? 0)
        }
    }

    /// What an argument must be, as far as its lower 32 bits tell.
    public enum Condition: Sendable {
        case equals(argument: Int, UInt32)
        /// It has at least one of these bits.
        case hasAny(argument: Int, UInt32)
    }

    // The kernel's filter machine (Documentation/networking/filter.rst).
    private static let load: UInt16 = 0x20  // ld [K]
    private static let jumpIfEqual: UInt16 = 0x15
    private static let jumpIfAny: UInt16 = 0x45
    private static let jumpIfNotLess: UInt16 = 0x35
    private static let answer: UInt16 = 0x06
    // struct seccomp_data.
    private static let callOffset: UInt32 = 0
    private static let architectureOffset: UInt32 = 4
    private static let argumentsOffset: UInt32 = 16
    /// Where x86_64 numbers the calls of its third ABI, x32, which no Debian kernel has.
    private static let foreignNumbers: UInt32 = 0x4000_0000

    /// The filter as the kernel takes it.
    let instructions: [FilterInstruction]

    /// A filter of those rules; the first that fits a call answers it.
    ///
    /// Calls of another architecture, i386 on x86_64, have other numbers: they do not exist
    /// (ENOSYS).
    public init(_ rules: [Rule]) {
        let isMissing = Self.refusal(UInt16(Errno.noFunction.rawValue))
        var instructions = [
            FilterInstruction(Self.load, 0, 0, Self.architectureOffset),
            FilterInstruction(Self.jumpIfEqual, 1, 0, CLINUX_AUDIT_ARCH), isMissing,
            FilterInstruction(Self.load, 0, 0, Self.callOffset),
            FilterInstruction(Self.jumpIfNotLess, 0, 1, Self.foreignNumbers), isMissing,
        ]
        for rule in rules { instructions += Self.instructions(of: rule) }
        instructions.append(FilterInstruction(Self.answer, 0, 0, CLINUX_SECCOMP_RET_ALLOW))
        self.instructions = instructions
    }

    /// Whether the kernel has such filters (CONFIG_SECCOMP_FILTER): one that has looks for the
    /// program of a filter, or for the caller's right to one, and one that has not does neither.
    public static var isSupported: Bool {
        // An address that no program can be at: to copy it is what fails.
        let nowhere = UnsafePointer<sock_filter>(bitPattern: 1)
        guard clinux_filter_system_calls(nowhere, 1) < 0 else { return true }
        let code = errno
        return code == EFAULT || code == EACCES
    }

    private static func refusal(_ code: UInt16) -> FilterInstruction {
        FilterInstruction(answer, 0, 0, CLINUX_SECCOMP_RET_ERRNO | UInt32(code))
    }

    // Whatever does not fit leads behind the rule.
    private static func instructions(of rule: Rule) -> [FilterInstruction] {
        let tests = [(jumpIfEqual, callOffset, rule.number)] + rule.conditions.map(test)
        return tests.enumerated().flatMap { place, test in
            let rest = UInt8(2 * (tests.count - place) - 1)
            return [
                FilterInstruction(load, 0, 0, test.1),
                FilterInstruction(test.0, 0, rest, test.2),
            ]
        } + [refusal(rule.answer)]
    }

    private static func test(_ condition: Condition) -> (UInt16, UInt32, UInt32) {
        switch condition {
        // Both architectures have the lower half first.
        case .equals(let argument, let value):
            (jumpIfEqual, argumentsOffset + 8 * UInt32(argument), value)
        case .hasAny(let argument, let bits):
            (jumpIfAny, argumentsOffset + 8 * UInt32(argument), bits)
        }
    }

    /// Puts the calling process, and all that it will start, under the filter for good.
    ///
    /// - Throws: ``SystemError``: EACCES for whoever has neither CAP_SYS_ADMIN nor forgone new
    ///   privileges; ENOSYS or EINVAL from a kernel without filters.
    public func install() throws(SystemError) {
        let program = instructions.map {
            sock_filter(code: $0.code, jt: $0.jumpTrue, jf: $0.jumpFalse, k: $0.operand)
        }
        try systemCall("filter system calls") {
            clinux_filter_system_calls(program, UInt16(program.count))
        }
    }

    /// Has the process, and all that it will start, forgo what set-user-ID programs and files'
    /// capabilities would give them (prctl(2), PR_SET_NO_NEW_PRIVS).
    public static func forgoNewPrivileges() throws(SystemError) {
        try systemCall("forgo new privileges") { clinux_no_new_privileges() }
    }
}
