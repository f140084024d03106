import ArgumentParser
import LabKit
import LabModel
import NetworkTypes

/// `--runs DIR`, for the verbs that look at recorded runs.
struct ArchiveOption: ParsableArguments {
    @Option(
        name: .customLong("runs"),
        help: ArgumentHelp(
            "Where runs are recorded (default: labctl/runs in $XDG_STATE_HOME).",
            valueName: "folder"))
    var folder: String?

    var archive: RunArchive { RunArchive(folder: folder) }

    static let runHelp = ArgumentHelp(
        "A recorded run: as `labctl runs` lists it, its folder, a lab for its latest, or latest.",
        valueName: "run")
}

/// `-l LAB` or `--run RUN`, for the verbs that look at a timeline.
struct TimelineOption: ParsableArguments {
    @OptionGroup var lab: LabOption
    @Option(help: ArgumentHelp("In place of a lab that is up, a recorded run.", valueName: "run"))
    var run: String?
    @OptionGroup var archive: ArchiveOption

    /// Whose timeline is meant.
    func source() throws -> TimelineSource {
        if let run { return .recorded(try archive.archive.run(run)) }
        return .lab(try lab.client())
    }

    func validate() throws {
        if run != nil, lab.lab != nil { throw ValidationError("--lab and --run: one of them") }
    }
}

/// A lab that is up, or a run that was recorded: both have a timeline.
enum TimelineSource {
    case lab(LabClient)
    case recorded(RecordedRun)

    var name: String {
        switch self {
        case .lab(let client): "lab \(client.name)"
        case .recorded(let run): "run \(run.name)"
        }
    }

    /// What was built.
    func description() throws -> (lab: Lab, virtualRouters: [VirtualRouterFacts]) {
        switch self {
        case .lab(let client):
            let description = try client.description()
            return (description.lab, description.virtualRouters)
        case .recorded(let run):
            let record = try run.record()
            return (record.lab, record.virtualRouters)
        }
    }

    /// Gives every event, in order, with its line of `events.jsonl`; with `follow`, of a lab that
    /// is up, as the timeline grows.
    func events(
        follow: Bool = false, _ onEvent: (TimelineEvent, ArraySlice<UInt8>) -> Void
    ) throws {
        switch self {
        case .lab(let client): try client.events(follow: follow, onEvent: onEvent)
        case .recorded(let run): try run.events(onEvent)
        }
    }

    /// Every event, in order.
    func allEvents() throws -> [TimelineEvent] {
        var events: [TimelineEvent] = []
        try self.events { event, _ in events.append(event) }
        return events
    }
}
