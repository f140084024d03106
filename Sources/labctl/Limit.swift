import ArgumentParser
import LabKit
import LabModel

struct Limit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract: "Have a node make do with less: processor time, memory, disk, processes.",
        usage: "labctl limit [-l <lab>] <node> <words> ...",
        discussion: """
            The words, in any order: `labctl limit master cpu 20% memory 64MiB`.

              cpu SHARE                 of one processor, as 20%; or cpus NUMBER, as docker has it
              memory SIZE               what is allocated from then on; whoever takes more is killed
              disk full | SIZE [left]   what it can still write; reading goes on
              pids NUMBER               processes and threads
              RESOURCE none, or none    lifts one limit, or all

            A limit takes the place of one of the same resource. A node that is killed and started \
            again has it still; `labctl heal` lifts all.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: "The node.", completion: .nodes) var node: String
    @Argument(help: "What it has at most.") var words: [String]
    @OptionGroup var lasting: LastingOption

    func validate() throws { _ = try limits() }

    func run() throws {
        try lab.client().apply(.limit(node, limits()), lasting: lasting.duration)
    }

    private func limits() throws -> NodeLimits {
        do {
            return try NodeLimits(words: words)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
