public import NetworkTypes

/// The way to a value in a JSON text: `[0].addr_info[0].local`.
public struct ValuePath: Hashable, Sendable, TextCodable {
    /// One step of it.
    public enum Element: Hashable, Sendable {
        case key(String)
        /// From 0 on; from the end for a negative one.
        case index(Int)
    }
    public var elements: [Element]

    public init(_ elements: [Element]) { self.elements = elements }

    public static var textName: String { "path of a JSON value" }

    /// Parses keys with points between them and indices in brackets; nil for anything else.
    public static func parse(_ text: String) -> Self? {
        var elements: [Element] = []
        var rest = text[...]
        while let first = rest.first {
            if first == "[" {
                guard let end = rest.firstIndex(of: "]"),
                    let index = Int(rest[rest.index(after: rest.startIndex)..<end])
                else { return nil }
                elements.append(.index(index))
                rest = rest[rest.index(after: end)...]
            } else {
                if first == "." {
                    guard !elements.isEmpty else { return nil }
                    rest = rest.dropFirst()
                } else if !elements.isEmpty {
                    return nil
                }
                let key = rest.prefix { $0 != "." && $0 != "[" }
                guard !key.isEmpty, !key.contains("]") else { return nil }
                elements.append(.key(String(key)))
                rest = rest[key.endIndex...]
            }
        }
        return elements.isEmpty ? nil : Self(elements)
    }

    public var description: String {
        elements.enumerated().reduce(into: "") { text, element in
            switch element.element {
            case .key(let key): text += element.offset == 0 ? key : ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
    }

    /// The text of the value that the path leads to in a JSON document; why there is none, else.
    func value(inJSON text: String) -> Result<String, Missing> {
        // JSON is YAML, so the lab file's own reader does.
        let document = YAMLDocument(parsing: text)
        guard document.problems.isEmpty, var value = document.root else {
            return .failure(Missing(reason: text.isEmpty ? "nothing printed" : "no JSON"))
        }
        for (count, element) in elements.enumerated() {
            guard let next = value.child(element) else {
                let place = ValuePath(Array(elements[...count])).description
                return .failure(Missing(reason: "nothing at \(place)"))
            }
            value = next
        }
        guard case .scalar(let text, _) = value.content else {
            return .failure(Missing(reason: "\(value.typeInWords) at \(self)"))
        }
        return .success(text)
    }

    /// Why a path leads to no text.
    struct Missing: Error, Equatable {
        var reason: String
    }
}

extension YAMLValue {
    fileprivate func child(_ element: ValuePath.Element) -> YAMLValue? {
        switch (element, content) {
        case (.key(let key), .mapping(let entries)): entries.first { $0.key == key }?.value
        case (.index(let index), .sequence(let values)):
            values.indices.contains(index < 0 ? values.count + index : index)
                ? values[index < 0 ? values.count + index : index] : nil
        case (.key, _), (.index, _): nil
        }
    }
}
