import Chaos
import Glibc
import LabKit
import LabModel
import NetworkTypes

/// Runs courses, each in a lab of its own, several at a time.
final class CoursePool {
    /// A run that is over.
    struct Finished {
        var number: Int
        var course: Course
        var session: ScenarioSession
    }

    private struct Run {
        var number: Int
        var course: Course
        var session: ScenarioSession
    }

    private let lab: LoadedLab
    private let archive: RunArchive
    private let display: TestDisplay
    private var runs: [Run] = []

    /// - Parameter lab: without the files of any scenario.
    init(_ lab: LoadedLab, archive: RunArchive, display: TestDisplay) {
        self.lab = lab
        self.archive = archive
        self.display = display
    }

    /// How many are under way.
    var count: Int { runs.count }

    /// What the first of them is doing.
    var activity: String? { runs.first?.session.activity }

    /// The step that the first of them is at, from 1.
    var step: Int? { runs.first?.session.step?.index }

    /// Begins a run.
    ///
    /// - Parameter isRecorded: whether it is kept in the archive.
    func start(_ course: Course, number: Int, isRecorded: Bool) {
        var built = lab
        built.lab.scenarios = [course.scenario]
        let session = ScenarioSession(
            built, course.scenario,
            ScenarioSession.Options(
                name: freeName(), isRetried: true, archive: isRecorded ? archive : nil))
        session.begin(silence)
        runs.append(Run(number: number, course: course, session: session))
    }

    private let silence = StepPrinter { _ in }

    /// The lab's own name, or the first with a number behind it that none of these has.
    private func freeName() -> String {
        let taken = Set(runs.compactMap(\.session.options.name))
        var candidate = lab.lab.name
        var number = 1
        while taken.contains(candidate) {
            number += 1
            let suffix = "-\(number)"
            candidate = lab.lab.name.prefix(Lab.maximumNameLength - suffix.count) + suffix
        }
        return candidate
    }

    /// Waits until one of them is over, and gives those that are.
    ///
    /// - Parameter lines: what is shown meanwhile.
    /// - Throws: ``LabError`` of the first that came to no verdict.
    func wait(showing lines: () -> [String]) throws -> [Finished] {
        while true {
            let over = runs.filter(\.session.isOver)
            if !over.isEmpty || runs.isEmpty {
                runs.removeAll(where: \.session.isOver)
                display.draw([])
                if let error = over.compactMap(\.session.error).first { throw error }
                return over.map {
                    Finished(number: $0.number, course: $0.course, session: $0.session)
                }
            }
            display.draw(lines())
            let sessions = runs.map(\.session)
            var waiting = sessions.map {
                pollfd(fd: $0.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
            }
            let patience = display.isLive ? TestDisplay.refreshInterval : nil
            poll(
                &waiting, nfds_t(waiting.count),
                patience.map { CInt($0.wholeNanoseconds / 1_000_000) } ?? -1)
            for (session, found) in zip(sessions, waiting) where found.revents != 0 {
                session.advance(silence)
            }
        }
    }

    /// Ends what is under way.
    func cancel() {
        for run in runs where !run.session.isOver { try? run.session.cancel() }
        runs = []
    }
}
