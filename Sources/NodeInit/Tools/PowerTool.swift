import NodeProtocol

/// `reboot`, `poweroff`, `halt` and `shutdown`: the node's own end, at once.
struct PowerTool {
    private let console: Console

    init(_ console: Console) { self.console = console }

    /// Does what a command of that name with these arguments does; answers the exit status.
    func run(_ name: String, _ arguments: [String]) -> Int32 {
        do {
            let restarts = try Self.restarts(name, arguments)
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

    /// Whether the machine comes up again after such a command.
    ///
    /// - Throws: ``UsageError`` for a time that is not now: a node has nobody to be warned.
    static func restarts(_ name: String, _ arguments: [String]) throws(UsageError) -> Bool {
        guard name == "shutdown" else { return name == "reboot" }
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
