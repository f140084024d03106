/// What all readers of statements have in common: a list of what they have to say.
protocol Reading {
    var diagnostics: [ConfDiagnostic] { get set }
}

extension Reading {
    /// Reports a value that keepalived replaces or ignores.
    mutating func adjusted(
        _ position: SourcePosition, _ message: String, detail: String? = nil,
        namesLine: Bool = true
    ) {
        diagnostics.append(
            ConfDiagnostic(
                position, .warning, .adjustedValue, message, detail: detail, namesLine: namesLine))
    }

    /// Reports a number that is none, and what that means: `message`, where keepalived has
    /// something to say about that.
    mutating func adjusted(
        _ position: SourcePosition, _ error: NumberError, isStrict: Bool = false,
        _ message: String? = nil, detail: String? = nil
    ) {
        var diagnostic = ConfDiagnostic(
            position, .warning, .adjustedValue, message ?? error.message,
            detail: detail ?? message.map { _ in error.message })
        diagnostic.runTimeMessages =
            [error.runTimeMessage(isStrict: isStrict)] + (message.map { [$0] } ?? [])
        diagnostics.append(diagnostic)
    }

    /// Reports something for which keepalived would not run.
    mutating func refused(_ position: SourcePosition, _ message: String, namesLine: Bool = true) {
        diagnostics.append(
            ConfDiagnostic(position, .error, .refused, message, namesLine: namesLine))
    }

    /// Reports an instance or an address that keepalived leaves out; a consequence of something
    /// already reported when it `isDisplaced`.
    mutating func lost(
        _ position: SourcePosition, _ message: String, detail: String? = nil,
        isDisplaced: Bool = false
    ) {
        diagnostics.append(
            ConfDiagnostic(
                position, isDisplaced ? .note : .error,
                isDisplaced ? .consequence : .lossOfConfiguration, message, detail: detail))
    }

    /// Says something for completeness: keepalived logs it without calling the file wrong.
    mutating func note(_ position: SourcePosition, _ message: String, detail: String? = nil) {
        diagnostics.append(
            ConfDiagnostic(
                position, .note, .noEffect, message, detail: detail, namesLine: false))
    }

    /// Reads an integer; nil, and reported with `message`, when it is none or out of range.
    ///
    /// keepalived takes the digits before trailing rubbish for the number with most keywords, as
    /// long as it only runs; `isStrict` is for the others.
    mutating func integer(
        _ word: Word, in range: ClosedRange<Int>, isSigned: Bool = false, isStrict: Bool = false,
        else complaint: @autoclosure () -> String
    ) -> Int? {
        do {
            return try readInteger(word.text, in: range, isSigned: isSigned)
        } catch {
            let message = complaint()
            if let prefix = error.prefix, !isStrict {
                adjusted(
                    word.position, error,
                    detail: "keepalived runs with \(prefix), and says when it tests the file:"
                        + " \(message)")
                return prefix
            }
            adjusted(word.position, error, isStrict: isStrict, message)
            return nil
        }
    }

    /// Reads seconds; nil, and reported with `message`, when they are none or out of range.
    mutating func seconds(
        _ word: Word, in range: ClosedRange<Duration>, else message: @autoclosure () -> String
    ) -> Duration? {
        do {
            let duration = try readSeconds(word.text, in: range)
            if hasTooManyDecimals(word.text) {
                let error = NumberError(
                    message: "number '\(word.text)' has too many decimal places")
                adjusted(word.position, error, detail: "rounded to \(sixDecimals(duration))")
            }
            return duration
        } catch {
            if let prefix = error.prefix, range.contains(.microseconds(prefix)) {
                let taken = Duration.microseconds(prefix)
                adjusted(
                    word.position, error,
                    detail: "keepalived takes it for \(sixDecimals(taken)) seconds")
                return taken
            }
            adjusted(word.position, error, message())
            return nil
        }
    }

    /// Reads a number of packets: at least one.
    mutating func packetCount(
        _ word: Word, name: String, else message: @autoclosure () -> String
    ) -> Int? {
        guard let count = integer(word, in: 0...Int(UInt32.max), else: message()) else {
            return nil
        }
        guard count > 0 else {
            adjusted(word.position, "\(name) must be greater than 0, setting to 1")
            return 1
        }
        return count
    }

    /// Reads an optional truth value that stands for true when left out; nil, and reported with
    /// `message`, when it is none.
    mutating func bool(_ statement: Statement, else message: @autoclosure () -> String) -> Bool? {
        guard let word = statement.arguments.first else { return true }
        guard let value = readBool(word.text) else {
            adjusted(word.position, message())
            return nil
        }
        return value
    }
}
