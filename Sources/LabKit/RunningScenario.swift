import CLinux
import Glibc
public import LabModel
import LinuxSystem

/// A scenario that is running in a lab: what it tells, as it comes.
///
/// The lab's supervisor runs it by itself, whenever it is listened to; it ends, without a verdict,
/// when this object goes.
public final class RunningScenario {
    /// What is told of a run.
    public enum News {
        case step(StepReport)
        /// What the timeline shows around what went wrong, before the report about it.
        case slice([TimelineEvent])
        /// It is over.
        case verdict(ScenarioOutcome)
    }

    private let connection: ControlConnection

    init(_ request: ControlRequest, in directory: LabDirectory) throws(LabError) {
        connection = try ControlConnection(directory)
        try connection.send(request)
    }

    /// Becomes readable when there may be something to take.
    public var descriptor: CInt { connection.channel.socket.rawValue }

    /// What has come and was not taken yet; nil while there is nothing.
    ///
    /// - Throws: ``LabError``, also when the lab has ended.
    public func present() throws(LabError) -> News? {
        try connection.receivePresent().map { reply throws(LabError) in try news(reply) }
    }

    /// What comes next, awaited.
    func next() throws(LabError) -> News { try news(try connection.receive()) }

    private func news(_ reply: ControlReply) throws(LabError) -> News {
        switch reply {
        case .step(let report): return .step(report)
        case .slice(let events): return .slice(events)
        case .verdict(let outcome): return .verdict(outcome)
        case .done, .failed, .status, .description, .logLine, .event, .recorded, .capture:
            throw connection.unexpected
        }
    }
}
