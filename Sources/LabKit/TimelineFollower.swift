public import LabModel
import LinuxSystem
import SystemPackage

/// The timeline of a lab as it grows, for a program that waits for other things as well.
///
/// In order, and therefore ``TimelineRecorder/settlingTime`` behind.
public final class TimelineFollower {
    private let connection: ControlConnection
    private var file: TimelineFile

    /// Begins with the lab's first event.
    ///
    /// - Throws: ``LabError/state(_:)`` when there is no such lab.
    public init(_ client: LabClient) throws(LabError) {
        connection = try ControlConnection(client.directory)
        file = try TimelineFile(client.directory.eventsPath)
        try connection.send(.events(follow: true))
    }

    /// Becomes readable when the timeline has grown, or the lab has ended.
    public var descriptor: CInt { connection.channel.socket.rawValue }

    /// Takes the events that have come since the last call.
    ///
    /// - Throws: ``LabError``, also when the lab has been taken down.
    public func takeEvents(_ onEvent: (TimelineEvent) -> Void) throws(LabError) {
        var end: Int?
        var problem: LabError?
        // However often the supervisor has said how long the file is: it is read once.
        do throws(LabError) {
            while let reply = try connection.receivePresent() {
                guard case .recorded(let bytes) = reply else { throw connection.unexpected }
                end = bytes
            }
        } catch {
            problem = error
        }
        if let end { try file.read(to: end) { event, _ in onEvent(event) } }
        if let problem { throw problem }
    }
}

/// Something that a lab's supervisor was asked to do and is doing, for a program that waits for
/// other things as well.
public final class ControlInProgress {
    private let connection: ControlConnection

    init(_ request: ControlRequest, _ directory: LabDirectory) throws(LabError) {
        connection = try ControlConnection(directory)
        try connection.send(request)
    }

    /// Becomes readable when it is done, or cannot be.
    public var descriptor: CInt { connection.channel.socket.rawValue }

    /// Whether it is done.
    ///
    /// - Throws: why it cannot be.
    public func isDone() throws(LabError) -> Bool {
        guard let reply = try connection.receivePresent() else { return false }
        guard case .done = reply else { throw connection.unexpected }
        return true
    }
}

extension LabClient {
    /// Begins to apply a verb to a node or service, as ``control(_:_:)`` does.
    public func begin(_ verb: ControlVerb, _ target: Target) throws(LabError) -> ControlInProgress {
        try ControlInProgress(.control(verb, target), directory)
    }

    /// Begins to break or mend something in the network, as ``apply(_:)`` does.
    public func begin(_ fault: Fault) throws(LabError) -> ControlInProgress {
        try ControlInProgress(.fault(fault), directory)
    }

    /// Begins to run steps, as ``run(_:onSlice:onStep:)`` does.
    public func begin(_ scenario: Scenario) throws(LabError) -> RunningScenario {
        try RunningScenario(.run(scenario), in: directory)
    }
}
