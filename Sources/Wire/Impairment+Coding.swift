import NetworkTypes

// In JSON: durations are nanoseconds, shares are percent, and what is left out is not done.
//
// {"loss":{"every":3}, "delay":10000000, "jitter":{"spread":1000000,"distribution":"normal"},
//  "rate":{"bitsPerSecond":1000000,"burstBytes":5000,"limitBytes":50000}, "limitPackets":1000}

extension Impairment: Codable {
    private enum CodingKeys: String, CodingKey {
        case mtuBytes, loss, duplicatePercent, corruptPercent, reorder, delay, jitter, rate,
            limitPackets
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        mtuBytes = try values.decodeIfPresent(Int.self, forKey: .mtuBytes)
        loss = try values.decodeIfPresent(Loss.self, forKey: .loss)
        duplicatePercent = try values.decodeIfPresent(Double.self, forKey: .duplicatePercent) ?? 0
        corruptPercent = try values.decodeIfPresent(Double.self, forKey: .corruptPercent) ?? 0
        reorder = try values.decodeIfPresent(Reorder.self, forKey: .reorder)
        delay = try values.decodeIfPresent(Nanoseconds.self, forKey: .delay)?.wrappedValue ?? .zero
        jitter = try values.decodeIfPresent(Jitter.self, forKey: .jitter)
        rate = try values.decodeIfPresent(Rate.self, forKey: .rate)
        limitPackets =
            try values.decodeIfPresent(Int.self, forKey: .limitPackets) ?? Self.defaultLimitPackets
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(mtuBytes, forKey: .mtuBytes)
        try values.encodeIfPresent(loss, forKey: .loss)
        if duplicatePercent != 0 { try values.encode(duplicatePercent, forKey: .duplicatePercent) }
        if corruptPercent != 0 { try values.encode(corruptPercent, forKey: .corruptPercent) }
        try values.encodeIfPresent(reorder, forKey: .reorder)
        if delay != .zero {
            try values.encode(Nanoseconds(wrappedValue: delay), forKey: .delay)
        }
        try values.encodeIfPresent(jitter, forKey: .jitter)
        try values.encodeIfPresent(rate, forKey: .rate)
        if limitPackets != Self.defaultLimitPackets {
            try values.encode(limitPackets, forKey: .limitPackets)
        }
    }
}

extension Impairment.Loss: Codable {
    private enum CodingKeys: String, CodingKey { case percent, every, gilbertElliott }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        guard values.allKeys.count == 1 else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "loss is one of percent, every and gilbertElliott"))
        }
        if let count = try values.decodeIfPresent(Int.self, forKey: .every) {
            self = .every(count)
        } else if let share = try values.decodeIfPresent(Double.self, forKey: .percent) {
            self = .random(percent: share)
        } else {
            self = .gilbertElliott(
                try values.decode(Impairment.GilbertElliott.self, forKey: .gilbertElliott))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .random(let percent): try values.encode(percent, forKey: .percent)
        case .every(let count): try values.encode(count, forKey: .every)
        case .gilbertElliott(let model): try values.encode(model, forKey: .gilbertElliott)
        }
    }
}

extension Impairment.GilbertElliott: Codable {
    private enum CodingKeys: String, CodingKey {
        case badPercent, goodPercent, lossInBadPercent, lossInGoodPercent
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            p: try values.decode(Double.self, forKey: .badPercent),
            r: try values.decodeIfPresent(Double.self, forKey: .goodPercent),
            oneMinusH: try values.decodeIfPresent(Double.self, forKey: .lossInBadPercent) ?? 100,
            oneMinusK: try values.decodeIfPresent(Double.self, forKey: .lossInGoodPercent) ?? 0)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(badPercent, forKey: .badPercent)
        try values.encode(goodPercent, forKey: .goodPercent)
        try values.encode(lossInBadPercent, forKey: .lossInBadPercent)
        try values.encode(lossInGoodPercent, forKey: .lossInGoodPercent)
    }
}

extension Impairment.Reorder: Codable {
    private enum CodingKeys: String, CodingKey { case percent, gap }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            percent: try values.decode(Double.self, forKey: .percent),
            gap: try values.decodeIfPresent(Int.self, forKey: .gap) ?? 1)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(percent, forKey: .percent)
        try values.encode(gap, forKey: .gap)
    }
}

extension Impairment.Jitter: Codable {
    private enum CodingKeys: String, CodingKey { case spread, distribution }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try values.decode(Nanoseconds.self, forKey: .spread).wrappedValue,
            try values.decodeIfPresent(Impairment.Distribution.self, forKey: .distribution)
                ?? .uniform)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(Nanoseconds(wrappedValue: spread), forKey: .spread)
        try values.encode(distribution, forKey: .distribution)
    }
}

extension Impairment.Rate: Codable {
    private enum CodingKeys: String, CodingKey {
        case bitsPerSecond, burstBytes, limitBytes, limitPackets
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let limit: Limit =
            if let bytes = try values.decodeIfPresent(Int.self, forKey: .limitBytes) {
                .bytes(bytes)
            } else {
                .packets(try values.decode(Int.self, forKey: .limitPackets))
            }
        self.init(
            bitsPerSecond: try values.decode(Int.self, forKey: .bitsPerSecond),
            burstBytes: try values.decode(Int.self, forKey: .burstBytes), limit: limit)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(bitsPerSecond, forKey: .bitsPerSecond)
        try values.encode(burstBytes, forKey: .burstBytes)
        switch limit {
        case .bytes(let count): try values.encode(count, forKey: .limitBytes)
        case .packets(let count): try values.encode(count, forKey: .limitPackets)
        }
    }
}
