import NodeProtocol

/// `systemctl`, as far as a node has what it speaks of: services, and the machine's power.
///
/// Its words, exit statuses (systemctl(1), "Exit status") and the shape of what it prints are
/// systemd's.
package struct Systemctl {
    private enum Status {
        static let failure: Int32 = 1
        /// The LSB's: program is not running.
        static let notRunning: Int32 = 3
        /// The LSB's: program or service status is unknown.
        static let unknown: Int32 = 4
        static let noPermission: Int32 = 4
        static let notLoaded: Int32 = 5
    }

    private let console: Console

    package init(_ console: Console) { self.console = console }

    /// Does what the arguments say; answers the exit status.
    package func run(_ arguments: [String]) -> Int32 {
        do {
            return try run(SystemctlArguments(arguments))
        } catch let error as UsageError {
            console.printError(error.message)
            return error.status
        } catch {
            console.printError("Failed to connect to PID 1: \(error)")
            return Status.failure
        }
    }

    private func run(_ arguments: SystemctlArguments) throws -> Int32 {
        switch arguments.verb {
        case .start, .stop, .restart, .tryRestart, .reload, .reloadOrRestart, .kill:
            return try each(arguments) { unit, word in
                try control(arguments, unit, calledAs: word)
            }
        case .enable, .disable: return try setEnabled(arguments)
        case .isActive:
            return try test(arguments, word: \.activeState, otherwise: Status.notRunning) {
                $0.phase == .active
            }
        case .isFailed:
            return try test(arguments, word: \.activeState, otherwise: Status.failure) {
                $0.phase == .failed
            }
        case .isEnabled: return try isEnabled(arguments)
        case .isSystemRunning:
            let isDegraded = try units().contains { $0.phase == .failed }
            console.print(isDegraded ? "degraded" : "running")
            return isDegraded ? Status.failure : 0
        case .status: return try status(arguments)
        case .listUnits: return try listUnits(arguments)
        case .listUnitFiles: return try listUnitFiles(arguments)
        // A lab's units are in its file; nothing of them is cached.
        case .daemonReload: return 0
        case .resetFailed: return try resetFailed(arguments)
        case .show: return try show(arguments)
        case .cat: return try cat(arguments)
        case .mask, .unmask: return try mask(arguments)
        case .version, .help:
            console.print(arguments.verb == .version ? SystemctlHelp.version : SystemctlHelp.text)
            return 0
        case .reboot, .poweroff, .halt:
            return PowerTool(console).run(arguments.verb.rawValue, [])
        }
    }

    private func units() throws -> [UnitReport] {
        guard case .units(let units) = try console.ask(.list) else { return [] }
        return units
    }

    // MARK: Changing something

    /// Does something to each unit; the last failure's exit status is the command's.
    private func each(
        _ arguments: SystemctlArguments,
        _ body: (UnitReport?, _ word: String) throws -> Int32
    ) throws -> Int32 {
        let units = try units()
        var status: Int32 = 0
        for word in UnitName.expand(arguments.units, among: units) {
            let result = try body(UnitName.find(word, among: units), word)
            if result != 0 { status = result }
        }
        return status
    }

    private func control(
        _ arguments: SystemctlArguments, _ unit: UnitReport?, calledAs word: String
    ) throws -> Int32 {
        let verb = arguments.verb
        let name = UnitName.whole(word)
        guard let unit else { return notLoaded(verb, name) }
        switch verb {
        case .kill: return try kill(arguments, unit, name)
        case .tryRestart where !unit.isUp: return 0
        case .reload where unit.phase != .active:
            console.printError("\(name) is not active, cannot reload.")
            return Status.failure
        case .stop where !unit.isUp: return 0
        default: break
        }
        let request: UnitVerb =
            switch verb {
            case .stop: .stop
            case .restart, .tryRestart: .restart
            case .reload: .reload
            case .reloadOrRestart: unit.phase == .active ? .reload : .start
            default: .start
            }
        let order = UnitRequest.control(request, unit: unit.name)
        switch try arguments.waits ? console.ask(order) : console.tell(order) {
        case .refused: return refused("Failed to \(verb.rawValue) \(name)")
        case .failed:
            console.printError("Job for \(name) failed.")
            console.printError(
                "See \"systemctl status \(name)\" and \"journalctl -xeu \(name)\" for details.")
            return Status.failure
        case .done, .units: return 0
        }
    }

    private func kill(
        _ arguments: SystemctlArguments, _ unit: UnitReport, _ name: String
    ) throws -> Int32 {
        let reply = try console.ask(
            .signal(arguments.signal, unit: unit.name, onlyMain: arguments.signalsOnlyMain))
        switch reply {
        case .refused: return refused("Failed to kill unit \(name)")
        case .failed(let reason):
            console.printError("Failed to kill unit \(name): \(reason)")
            return Status.failure
        case .done, .units: return 0
        }
    }

    private func notLoaded(_ verb: SystemctlArguments.Verb, _ name: String) -> Int32 {
        let what =
            switch verb {
            case .kill: "unit \(name)"
            default: name
            }
        // What is not there cannot be looked for to be stopped.
        let isMissing = verb != .stop && verb != .kill
        console.printError(
            "Failed to \(verb.rawValue) \(what): Unit \(name) "
                + (isMissing ? "not found." : "not loaded."))
        return verb == .kill ? Status.failure : Status.notLoaded
    }

    private func refused(_ what: String) -> Int32 {
        console.printError("\(what): Access denied")
        return Status.noPermission
    }

    private func setEnabled(_ arguments: SystemctlArguments) throws -> Int32 {
        let isEnabled = arguments.verb == .enable
        return try each(arguments) { unit, word in
            guard let unit else {
                console.printError(
                    "Failed to \(arguments.verb.rawValue) unit: "
                        + "Unit file \(UnitName.whole(word)) does not exist.")
                return Status.failure
            }
            switch try console.ask(.setEnabled(isEnabled, unit: unit.name)) {
            case .refused: return refused("Failed to \(arguments.verb.rawValue) unit")
            case .failed(let reason):
                console.printError("Failed to \(arguments.verb.rawValue) unit: \(reason)")
                return Status.failure
            case .done(let hasChanged):
                if hasChanged, !arguments.isQuiet { tellLink(of: unit.name, isEnabled) }
            case .units: break
            }
            guard arguments.now else { return 0 }
            var job = arguments
            job.verb = isEnabled ? .start : .stop
            return try control(job, unit, calledAs: word)
        }
    }

    /// Has failed units, or all of them, forget that they have failed.
    private func resetFailed(_ arguments: SystemctlArguments) throws -> Int32 {
        var arguments = arguments
        if arguments.units.isEmpty { arguments.units = try units().map(\.name) }
        return try each(arguments) { unit, word in
            let what = "Failed to reset failed state of unit \(UnitName.whole(word))"
            guard let unit else {
                console.printError("\(what): Unit \(UnitName.whole(word)) not loaded.")
                return Status.failure
            }
            switch try console.ask(.resetFailed(unit: unit.name)) {
            case .refused: return refused(what)
            case .failed(let reason):
                console.printError("\(what): \(reason)")
                return Status.failure
            case .done, .units: return 0
            }
        }
    }

    private func tellLink(of unit: String, _ isEnabled: Bool) {
        let link = EnabledUnits.link(of: unit)
        console.printError(
            isEnabled
                ? "Created symlink \(link) → \(EnabledUnits.target(of: unit))."
                : "Removed \"\(link)\".")
    }

    /// A lab says what its nodes' units are, so none can be masked, and none is.
    private func mask(_ arguments: SystemctlArguments) throws -> Int32 {
        guard arguments.verb == .mask else { return 0 }
        console.printError("Failed to mask unit: Operation not supported")
        return Status.failure
    }

    // MARK: Looking

    /// Prints a word about each unit.
    ///
    /// - Returns: 0 if any is so.
    private func test(
        _ arguments: SystemctlArguments, word: (UnitReport) -> String, otherwise: Int32,
        isSo: (UnitReport) -> Bool
    ) throws -> Int32 {
        let units = try units()
        let words = UnitName.expand(arguments.units, among: units)
        let found = words.map { UnitName.find($0, among: units) }
        if !arguments.isQuiet {
            for unit in found { console.print(unit.map(word) ?? "inactive") }
        }
        let known = found.compactMap(\.self)
        if known.contains(where: isSo) { return 0 }
        return known.isEmpty ? Status.unknown : otherwise
    }

    private func isEnabled(_ arguments: SystemctlArguments) throws -> Int32 {
        let units = try units()
        var status: Int32 = Status.failure
        for word in arguments.units {
            guard let unit = UnitName.find(word, among: units) else {
                if !arguments.isQuiet {
                    console.printError(
                        "Failed to get unit file state for \(UnitName.whole(word)): "
                            + "No such file or directory")
                }
                continue
            }
            if !arguments.isQuiet { console.print(unit.enablement) }
            if unit.isEnabled { status = 0 }
        }
        return status
    }

    private func status(_ arguments: SystemctlArguments) throws -> Int32 {
        let units = try units()
        guard !arguments.units.isEmpty else {
            let failed = units.filter { $0.phase == .failed }.count
            console.print("● \(console.hostname)")
            console.print("    State: \(failed == 0 ? "running" : "degraded")")
            console.print("    Units: \(units.count) loaded")
            console.print("   Failed: \(failed) units")
            return 0
        }
        var status: Int32 = 0
        let words = UnitName.expand(arguments.units, among: units)
        for (position, word) in words.enumerated() {
            guard let unit = UnitName.find(word, among: units) else {
                console.printError("Unit \(UnitName.whole(word)) could not be found.")
                status = Status.unknown
                continue
            }
            if position > 0 { console.print("") }
            for line in text(of: unit, arguments.lineCount).lines { console.print(line) }
            if unit.phase != .active, status == 0 { status = Status.notRunning }
        }
        return status
    }

    /// Prints properties of units, as programs read them.
    private func show(_ arguments: SystemctlArguments) throws -> Int32 {
        let units = try units()
        let words = UnitName.expand(arguments.units, among: units)
        for (position, word) in words.enumerated() {
            if position > 0 { console.print("") }
            let properties = UnitProperties(word: word, unit: UnitName.find(word, among: units))
            for line in properties.lines(
                only: arguments.properties, valuesOnly: arguments.showsOnlyValues)
            {
                console.print(line)
            }
        }
        return 0
    }

    /// Prints the files that units would have.
    private func cat(_ arguments: SystemctlArguments) throws -> Int32 {
        var isFirst = true
        return try each(arguments) { unit, word in
            guard let unit else {
                console.printError("No files found for \(UnitName.whole(word)).")
                return Status.failure
            }
            if !isFirst { console.print("") }
            isFirst = false
            for line in UnitFileText(unit: unit).lines { console.print(line) }
            return 0
        }
    }

    private func text(of unit: UnitReport, _ lineCount: Int) -> UnitStatusText {
        UnitStatusText(
            unit: unit, clock: console.clock, hostname: console.hostname,
            processName: unit.end == nil ? unit.pid.flatMap(console.processName) : nil,
            log: console.lines(unit.name, lineCount))
    }

    private func listUnits(_ arguments: SystemctlArguments) throws -> Int32 {
        let shown = try units().filter {
            arguments.selects($0) && arguments.hasState($0)
                && (arguments.showsAll || arguments.states != nil || $0.phase != .inactive)
        }
        let rows = shown.map { unit in
            [
                (unit.phase == .failed ? "● " : "  ") + unit.wholeName, "loaded", unit.activeState,
                unit.subState, unit.description,
            ]
        }
        let heading = ["  UNIT", "LOAD", "ACTIVE", "SUB", "DESCRIPTION"]
        printTable(arguments.showsLegend ? [heading] + rows : rows)
        if arguments.showsLegend { console.print("\n\(shown.count) loaded units listed.") }
        return 0
    }

    private func listUnitFiles(_ arguments: SystemctlArguments) throws -> Int32 {
        let rows = try units()
            .filter { arguments.selects($0) && arguments.states?.contains($0.enablement) ?? true }
            .map { [$0.wholeName, $0.enablement, "enabled"] }
        printTable(arguments.showsLegend ? [["UNIT FILE", "STATE", "PRESET"]] + rows : rows)
        if arguments.showsLegend { console.print("\n\(rows.count) unit files listed.") }
        return 0
    }

    private func printTable(_ rows: [[String]]) {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).enumerated().map { column, cell in
                // The last column needs no filling.
                column == columns - 1
                    ? cell.0
                    : cell.0 + String(repeating: " ", count: cell.1 - cell.0.count)
            }
            console.print(cells.joined(separator: " "))
        }
    }
}
