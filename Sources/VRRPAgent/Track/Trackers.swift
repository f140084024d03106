import KeepalivedConf
import LinuxSystem
import VRRP

/// Everything that instances track besides interfaces: scripts, files and processes, as far as some
/// instance or group tracks them.
final class Trackers {
    /// Told when something is another way than before, from the loop.
    var onChange: (EffectivePriority.Tracked, EffectivePriority.Condition) -> Void = { _, _ in }

    private let launcher: CommandLauncher
    private let loop: EventLoop
    private let log: (LogLine) -> Void
    private var scripts: [String: ScriptTracker] = [:]
    private var fileTracker: FileTracker?
    private var files: [String: TrackFile] = [:]
    /// The value last read of each file, by the name of its definition.
    private(set) var fileValues: [String: Int] = [:]
    private var processTracker: ProcessTracker?
    private var processes: [String: Bool] = [:]

    init(launcher: CommandLauncher, loop: EventLoop, log: @escaping (LogLine) -> Void) {
        self.launcher = launcher
        self.loop = loop
        self.log = log
    }

    /// How something is, as far as that is known; nil: it cannot be tracked.
    func condition(of tracked: EffectivePriority.Tracked) -> EffectivePriority.Condition? {
        switch tracked {
        case .interface: nil
        case .script(let name):
            scripts[name].map { script in script.isUp.map { .init(isWell: $0) } ?? .unknown }
        case .file(let name): fileValues[name].map { .value($0) }
        case .process(let name): processes[name].map { .init(isWell: $0) }
        }
    }

    /// How each script is doing, by name, for the dumps.
    var scriptReports: [String: AgentReport.ScriptReport] { scripts.mapValues(\.report) }

    /// How many processes each definition matches, by name.
    var processCounts: [String: Int] { processTracker?.counts ?? [:] }

    /// Says how those scripts are considered that are in the configuration of a reload too.
    func tellReload(_ configuration: Configuration) {
        for script in configuration.scripts {
            if let line = scripts[script.name]?.reloadLine { log(line) }
        }
    }

    /// Tracks what a configuration asks for, at the start and at a reload. What is asked for as
    /// before goes on with what it knows.
    ///
    /// - Parameter isReload: a reload does not overwrite a tracked file.
    func set(_ configuration: Configuration, book: ScriptBook, isReload: Bool) {
        let wanted = Set(
            configuration.instances.flatMap { instance in
                Tracking.weights(of: instance, configuration).keys
            } + Tracking.weights(of: configuration.syncGroups, configuration).keys)
        setScripts(
            configuration.scripts.filter { wanted.contains(.script($0.name)) && book.runs($0) },
            book)
        let files = configuration.files.filter { wanted.contains(.file($0.name)) }
        for file in files { FileTracker.initialize(file, isReload: isReload, log: log) }
        setFiles(files)
        setProcesses(configuration.processes.filter { wanted.contains(.process($0.name)) })
    }

    /// Ends what runs.
    func stop() {
        for script in scripts.values { script.stop() }
        scripts = [:]
        processTracker = nil
        fileTracker = nil
    }

    private func setScripts(_ definitions: [VRRPScript], _ book: ScriptBook) {
        let before = scripts
        scripts = [:]
        for definition in definitions {
            let name = definition.name
            // Of two with one name the first is meant.
            guard scripts[name] == nil else { continue }
            guard let invocation = book.invocation(of: definition.command) else { continue }
            let user = invocation.user
            // As keepalived does, the program is run that the check has found.
            var definition = definition
            definition.command.arguments = invocation.arguments
            if let script = before[name], script.runs(definition, as: user) {
                scripts[name] = script
                continue
            }
            let script = ScriptTracker(
                definition, after: before[name], user: user, launcher: launcher, loop: loop,
                log: log
            ) { [unowned self] isUp in onChange(.script(name), .init(isWell: isUp)) }
            scripts[name] = script
            script.start()
        }
        for (name, script) in before where scripts[name] !== script { script.stop() }
    }

    private func setFiles(_ definitions: [TrackFile]) {
        guard !definitions.isEmpty || !files.isEmpty else { return }
        let wanted = Dictionary(definitions.map { ($0.name, $0) }) { first, _ in first }
        for (name, file) in files where wanted[name]?.path != file.path {
            fileTracker?.remove(name)
            files[name] = nil
            fileValues[name] = nil
        }
        do throws(SystemError) {
            if fileTracker == nil { fileTracker = try makeFileTracker() }
            for definition in definitions {
                if files[definition.name] == nil {
                    fileValues[definition.name] = fileTracker?.add(definition)
                }
                files[definition.name] = definition
            }
        } catch {
            log(.init("\(error)"))
        }
    }

    private func makeFileTracker() throws(SystemError) -> FileTracker {
        try FileTracker(loop: loop, log: log) { [unowned self] name, value in
            fileValues[name] = value
            onChange(.file(name), .value(value))
        }
    }

    private func setProcesses(_ definitions: [TrackProcess]) {
        guard !definitions.isEmpty || processTracker != nil else { return }
        let names = Set(definitions.map(\.name))
        processes = processes.filter { names.contains($0.key) }
        let tracker =
            processTracker
            ?? ProcessTracker(loop: loop, log: log) { [unowned self] name, hasQuorum in
                processes[name] = hasQuorum
                onChange(.process(name), .init(isWell: hasQuorum))
            }
        processTracker = tracker
        tracker.start(definitions)
    }
}

extension EffectivePriority.Condition {
    /// What is either well or not.
    init(isWell: Bool) { self = isWell ? .well : .failing }
}
