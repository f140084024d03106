import NodeProtocol

/// `reboot`, `poweroff`, `halt`, `shutdown`, and `init` or `telinit` with a runlevel: the node's
/// own end, at once.
package struct PowerTool {
    private let console: Console

    package init(_ console: Console) { self.console = console }

    /// Does what a command of that name with these arguments does; answers the exit status.
    package func run(_ name: String, _ arguments: [String]) -> Int32 {
        do {
            guard let restarts = try Self.restarts(name, arguments) else { return 0 }
            switch try console.ask(.powerOff(restarts: restarts)) {
            case .refused:
                console.printError("\(name): must be superuser.")
                return 1
            case .failed(let reason):
                console.printError("\(name): \(reason)")
                return 1
            case .done, .units: return 0
            }
        } catch let error as UsageError {
            console.printError(error.message)
            return error.status
        } catch is ManagerClient.Gone {
            // Its end was faster than its answer.
            return 0
        } catch {
            console.printError("\(name): \(error)")
            return 1
        }
    }

    /// Whether the machine comes up again after such a command; nil where it does not go down.
    ///
    /// - Throws: ``UsageError`` for a time that is not now: a node has nobody to be warned.
    static func restarts(_ name: String, _ arguments: [String]) throws(UsageError) -> Bool? {
        switch name {
        case "shutdown": return try restarts(shutdown: arguments)
        case "init", "telinit": return try restarts(runlevel: arguments, name)
        default: return name == "reboot"
        }
    }

    /// Of `telinit`'s levels (telinit(8)): 0 is off, 6 is off and on again. A node is in the one it
    /// has, and of its files none is read but when they are needed.
    private static func restarts(
        runlevel arguments: [String], _ name: String
    ) throws(UsageError) -> Bool? {
        guard let level = arguments.first else {
            throw UsageError(message: "\(name): required argument missing.")
        }
        switch level {
        case "0": return false
        case "6": return true
        case "1", "2", "3", "4", "5", "s", "S", "q", "Q", "u", "U": return nil
        default: throw UsageError(message: "Expected single character argument.")
        }
    }

    private static func restarts(shutdown arguments: [String]) throws(UsageError) -> Bool {
        var restarts = false
        var reader = OptionReader(arguments)
        var words: [String] = []
        while let word = try reader.next(withValue: []) {
            switch word {
            case .option("-r", _), .option("--reboot", _): restarts = true
            case .option("-h", _), .option("-P", _), .option("-H", _), .option("--halt", _),
                .option("--poweroff", _), .option("--no-wall", _):
                break
            case .option(let option, _):
                throw UsageError(message: "shutdown: unrecognized option '\(option)'")
            case .plain(let text): words.append(text)
            }
        }
        guard let time = words.first, !["now", "+0"].contains(time) else { return restarts }
        throw UsageError(message: "shutdown: only 'now' is understood here, not '\(time)'")
    }
}
