/// The normal distribution as netem has it: a table of values at equally likely places, cut off at
/// four standard deviations.
///
/// netem's own table, a file of tc, is not copied: this one is computed when it is first needed, by
/// integrating the density, and needs no mathematics library.
enum NormalTable {
    /// How many values; a power of two, as many as netem's.
    static let size = 4096
    private static let cutoff = 4.0
    /// Steps of the integration; a whole number of them to one standard deviation.
    private static let steps = 1 << 16

    /// In standard deviations, ascending.
    static let values: [Double] = {
        let width = 2 * cutoff / Double(steps)
        let density = densities(width: width)
        var sum = 0.0
        let total = zip(density, density.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 }
        var values: [Double] = []
        values.reserveCapacity(size)
        for step in 0..<steps {
            let next = sum + (density[step] + density[step + 1]) / 2
            // The value in the middle of each of `size` equal shares.
            while values.count < size {
                let wanted = (Double(values.count) + 0.5) / Double(size) * total
                guard wanted <= next else { break }
                let part = (wanted - sum) / (next - sum)
                values.append((Double(step) + part) * width - cutoff)
            }
            sum = next
        }
        return values
    }()

    /// exp(-x²/2) from -cutoff to cutoff, from the middle outwards: each is the last times a factor
    /// that itself shrinks by exp(-width²) with each step.
    private static func densities(width: Double) -> [Double] {
        var density = [Double](repeating: 1, count: steps + 1)
        let (middle, square) = (steps / 2, width * width)
        // Taylor's series to the third power: the squares are below 2e-8.
        let shrink = 1 - square + square * square / 2
        var factor = 1 - square / 2 + square * square / 8
        for step in 1...middle {
            density[middle + step] = density[middle + step - 1] * factor
            density[middle - step] = density[middle + step]
            factor *= shrink
        }
        return density
    }
}

extension Impairment {
    /// The normal distribution as netem takes it: so many values at equally likely places, in
    /// 8192ths of a standard deviation (NETEM_DIST_SCALE).
    public static func netemTable(size: Int) -> [Int16] {
        (0..<size).map { place in
            let value = NormalTable.values[(2 * place + 1) * NormalTable.size / (2 * size)]
            return Int16(clamping: Int((value * 8192).rounded()))
        }
    }
}
