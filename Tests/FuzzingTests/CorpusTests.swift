import FuzzTargets
import Glibc
import Testing

/// What `scripts/fuzz` does for minutes and hours, in seconds and without libFuzzer.
@Suite("Decoders stand whatever comes")
struct CorpusTests {
    /// How many inputs one decoder gets that nobody has written, beyond those of the corpus; a
    /// number, not a time, so that every machine tries the same.
    private static let mutations = getenv("LABCTL_TEST_FULL") == nil ? 300 : 20_000
    /// No input takes longer, be it in a debug build on a busy machine.
    private static let longest: Duration = .seconds(20)

    @Test("every input of the corpus is decoded, or refused", arguments: FuzzTarget.all.map(\.name))
    func corpus(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let corpus = Corpus(of: target)
        #expect(!corpus.inputs.isEmpty, "Tests/Fuzzing/Corpus/\(name) has inputs")
        for input in corpus.inputs { expect(target, takes: input.bytes, "\(name)/\(input.name)") }
    }

    @Test("so is what is made of it by the seed", arguments: FuzzTarget.all.map(\.name))
    func mutations(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let corpus = Corpus(of: target)
        var mutator = Mutator(
            seed: 1, corpus: corpus.inputs.map(\.bytes), words: corpus.words)
        for number in 0..<Self.mutations {
            expect(target, takes: mutator.input(), "\(name), mutation \(number) of seed 1")
        }
    }

    @Test("no folder of the corpus belongs to no decoder")
    func folders() {
        let known = Set(FuzzTarget.all.map(\.name))
        #expect(Set(Corpus.names(in: Corpus.folder, folders: true)) == known)
    }

    private func expect(_ target: FuzzTarget, takes bytes: [UInt8], _ what: String) {
        let begin = ContinuousClock.now
        do {
            try target.run(bytes)
        } catch {
            Issue.record("\(what): \(error)\n\(bytes)")
        }
        let taken = ContinuousClock.now - begin
        #expect(taken < Self.longest, "\(what) takes \(taken)")
    }
}
