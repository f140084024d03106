@testable import LabModel

/// As much of JSON Schema (draft 2020-12) as `Labs/lab.schema.json` uses, over YAML values.
struct SchemaValidator {
    let schema: YAMLValue

    var definitionNames: [String] { schema["$defs"]?.keys ?? [] }

    func definition(_ name: String) -> YAMLValue? { schema["$defs"]?[name] }

    /// What is wrong with `value`, each with its place; empty for a valid one.
    func problems(of value: YAMLValue) -> [String] { problems(of: value, against: schema) }

    private func problems(of value: YAMLValue, against schema: YAMLValue) -> [String] {
        guard case .mapping(let keywords) = schema.content else {
            return schema.text == "false" ? ["\(value.mark.line): nothing is allowed here"] : []
        }
        return keywords.flatMap { check(value, keyword: $0.key, $0.value, of: schema) }
    }

    private func isValid(_ value: YAMLValue, _ schema: YAMLValue) -> Bool {
        problems(of: value, against: schema).isEmpty
    }

    private func check(
        _ value: YAMLValue, keyword: String, _ operand: YAMLValue, of schema: YAMLValue
    ) -> [String] {
        func unless(_ condition: Bool) -> [String] {
            condition ? [] : ["\(value.mark.line):\(value.mark.column): \(keyword)"]
        }
        switch keyword {
        case "$schema", "$defs", "title", "description", "then", "else": return []
        case "$ref":
            let name = operand.text?.split(separator: "/").last.map(String.init) ?? ""
            guard let target = definition(name) else { return ["no definition \(name)"] }
            return problems(of: value, against: target)
        case "type":
            let types = operand.texts
            return unless(
                types.contains(value.schemaType)
                    || types.contains("number") && value.schemaType == "integer")
        case "enum": return unless(operand.texts.contains { $0 == value.text })
        case "const": return unless(operand.text == value.text)
        case "pattern":
            guard value.schemaType == "string" else { return [] }
            return unless(matches(value.text ?? "", operand.text ?? ""))
        case "minLength": return unless((value.text ?? "").count >= operand.number)
        case "minimum":
            return unless(value.schemaType != "integer" || value.number >= operand.number)
        case "maximum":
            return unless(value.schemaType != "integer" || value.number <= operand.number)
        case "minProperties":
            return unless(value.entries.map { $0.count >= operand.number } ?? true)
        case "maxProperties":
            return unless(value.entries.map { $0.count <= operand.number } ?? true)
        case "minItems": return unless(value.items.map { $0.count >= operand.number } ?? true)
        case "maxItems": return unless(value.items.map { $0.count <= operand.number } ?? true)
        case "items": return (value.items ?? []).flatMap { problems(of: $0, against: operand) }
        case "anyOf": return unless((operand.items ?? []).contains { isValid(value, $0) })
        case "oneOf": return unless((operand.items ?? []).count { isValid(value, $0) } == 1)
        case "not": return unless(!isValid(value, operand))
        case "if":
            let consequence = schema[isValid(value, operand) ? "then" : "else"]
            return consequence.map { problems(of: value, against: $0) } ?? []
        case "required", "propertyNames", "properties", "patternProperties",
            "additionalProperties":
            return value.entries.map { checkEntries($0, of: value, keyword, operand, schema) } ?? []
        default: return ["the validator does not know \(keyword)"]
        }
    }

    // The keywords that say something of an object's members; any other value satisfies them.
    private func checkEntries(
        _ entries: [YAMLEntry], of value: YAMLValue, _ keyword: String, _ operand: YAMLValue,
        _ schema: YAMLValue
    ) -> [String] {
        switch keyword {
        case "required":
            return operand.texts.filter { name in !entries.contains { $0.key == name } }
                .map { _ in "\(value.mark.line):\(value.mark.column): \(keyword)" }
        case "propertyNames":
            return entries.flatMap { entry in
                let name = YAMLValue(
                    content: .scalar(entry.key, isPlain: false), mark: entry.keyMark)
                return problems(of: name, against: operand)
            }
        case "properties":
            return entries.flatMap { entry in
                operand[entry.key].map { problems(of: entry.value, against: $0) } ?? []
            }
        case "additionalProperties":
            let known = schema["properties"]?.keys ?? []
            let patterns = schema["patternProperties"]?.keys ?? []
            return entries.filter { entry in
                !known.contains(entry.key) && !patterns.contains { matches(entry.key, $0) }
            }.flatMap { problems(of: $0.value, against: operand) }
        default: return []
        }
    }

    private func matches(_ text: String, _ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern) else { return false }
        return text.contains(regex)
    }
}

extension YAMLValue {
    var entries: [YAMLEntry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    var items: [YAMLValue]? {
        if case .sequence(let items) = content { items } else { nil }
    }

    var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// One text, or those of a list.
    var texts: [String] { items?.compactMap(\.text) ?? text.map { [$0] } ?? [] }

    var keys: [String] { entries?.map(\.key) ?? [] }

    var number: Int { text.flatMap { Int($0) } ?? 0 }

    subscript(key: String) -> YAMLValue? { entries?.first { $0.key == key }?.value }

    /// The type that JSON Schema sees: YAML 1.2's core schema, as editors read it.
    var schemaType: String {
        switch content {
        case .mapping: "object"
        case .sequence: "array"
        case .scalar(_, isPlain: false): "string"
        case .scalar where isNull: "null"
        case .scalar("true", _), .scalar("false", _): "boolean"
        case .scalar(let text, _) where Int(text) != nil: "integer"
        case .scalar(let text, _) where Double(text) != nil && text.first?.isNumber == true:
            "number"
        case .scalar: "string"
        }
    }
}
