import TestSupport

/// Makes other inputs of those of a corpus, by the seed: what libFuzzer does, but blind.
struct Mutator {
    private var generator: SeededGenerator
    private let corpus: [[UInt8]]
    private let words: [[UInt8]]
    /// No input gets longer: what is slow at a great length is not looked for here.
    private static let longestBytes = 4096

    /// - Parameter words: what is put into inputs, of the decoder's language.
    init(seed: UInt64, corpus: [[UInt8]], words: [[UInt8]]) {
        generator = SeededGenerator(seed: seed)
        self.corpus = corpus
        self.words = words
    }

    /// A number from 0 to below a limit, which is above 0.
    private mutating func number(below limit: Int) -> Int { Int(generator.next() % UInt64(limit)) }

    /// Some place in the bytes, their end included.
    private mutating func place(in bytes: [UInt8]) -> Int { number(below: bytes.count + 1) }

    /// An input of the corpus with one to eight changes.
    mutating func input() -> [UInt8] {
        var bytes = corpus.isEmpty ? [] : corpus[number(below: corpus.count)]
        for _ in 0...number(below: 8) { change(&bytes) }
        return Array(bytes.prefix(Self.longestBytes))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let start = place(in: bytes)
        let end = min(start + number(below: 16), bytes.count)
        switch number(below: 9) {
        case 0: bytes.removeSubrange(start..<end)
        case 1: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: start)
        case 2: if start < bytes.count { bytes[start] ^= 1 << UInt8(number(below: 8)) }
        case 3:
            if start < bytes.count { bytes[start] = UInt8(truncatingIfNeeded: generator.next()) }
        case 4: if start < bytes.count { bytes[start] = [0, 0x7f, 0x80, 0xff][number(below: 4)] }
        case 5: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 6:
            if !words.isEmpty {
                bytes.insert(contentsOf: words[number(below: words.count)], at: start)
            }
        case 7: bytes.removeSubrange(start...)
        default:
            // The rest of another input.
            guard !corpus.isEmpty else { return }
            let other = corpus[number(below: corpus.count)]
            bytes.replaceSubrange(start..., with: other[place(in: other)...])
        }
    }
}
