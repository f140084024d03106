/// The name among `candidates` that `word` was most likely meant to be; nil when none is near.
///
/// Near is at most a third of the word's length in insertions, deletions, replacements and swaps
/// of neighbours, but always one. Of equally near ones the alphabetically first.
func suggestion(for word: String, among candidates: [String]) -> String? {
    let limit = max(1, word.utf8.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates {
        let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
        if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
}

/// Insertions, deletions, replacements and swaps of neighbours between the two (optimal string
/// alignment distance).
func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for row in 1...left.count {
        var current = [row] + Array(repeating: 0, count: right.count)
        for column in 1...right.count {
            let isSame = left[row - 1] == right[column - 1]
            var distance = min(
                previous[column] + 1, current[column - 1] + 1,
                previous[column - 1] + (isSame ? 0 : 1))
            if row > 1, column > 1, left[row - 1] == right[column - 2],
                left[row - 2] == right[column - 1]
            {
                distance = min(distance, beforePrevious[column - 2] + 1)
            }
            current[column] = distance
        }
        beforePrevious = previous
        previous = current
    }
    return previous[right.count]
}
