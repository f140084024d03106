/// Which of the known names a mistyped one was probably meant to be.
public enum SpellingSuggestion {
    /// The closest of `candidates`, when it is close enough to be a slip of the fingers: at most
    /// one edit in three characters. The first one wins a tie.
    public static func closest(
        to word: String, among candidates: some Sequence<String>
    ) -> String? {
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(word.lowercased(), candidate.lowercased())
            guard distance <= max(1, max(word.count, candidate.count) / 3),
                distance < max(word.count, candidate.count), distance < best?.distance ?? .max
            else { continue }
            best = (candidate, distance)
        }
        return best?.candidate
    }

    /// The end of a message about an unknown `word`: `; did you mean 'master'?`, or what there is.
    public static func hint(
        for word: String, among candidates: [String], known: String = "known are"
    ) -> String {
        if let meant = closest(to: word, among: candidates) { return "; did you mean '\(meant)'?" }
        let listed = candidates.prefix(maximumListed).joined(separator: ", ")
        guard !listed.isEmpty else { return "" }
        return "; \(known) \(listed)\(candidates.count > maximumListed ? ", ..." : "")"
    }

    /// The most names that a message lists.
    static let maximumListed = 16

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other
    /// (optimal string alignment).
    static func editDistance(_ left: String, _ right: String) -> Int {
        let left = Array(left)
        let right = Array(right)
        var twoBack: [Int] = []
        var previous = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var cost = min(
                    previous[column + 1] + 1, current[column] + 1,
                    previous[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    cost = min(cost, twoBack[column - 1] + 1)
                }
                current.append(cost)
            }
            twoBack = previous
            previous = current
        }
        return previous[right.count]
    }
}
