/// The variables of a configuration: `$NAME=value`, and those that keepalived defines itself.
struct Definitions {
    /// What a variable stands for.
    struct Definition {
        enum Value {
            /// One line, or several where the definition went on over lines.
            case lines([[Cell]])
            /// `_PWD`: the folder of the file being read.
            case workingDirectory
            /// `_RANDOM`: another number each time.
            case random
        }
        var value: Value
        /// Whether it may stand only at the end of a line, which it turns into several.
        var isMultiline = false
        /// Where it is defined; nil for keepalived's own.
        var position: SourcePosition?
    }

    /// A use of a variable in a line.
    struct Use {
        var name: String
        var definition: Definition
        /// What is replaced, from the `$` on.
        var range: Range<Int>
        /// The numbers after the name: `${_RANDOM 1 9}`.
        var parameters: [Int]
    }

    private var table: [String: Definition] = [:]

    /// keepalived's own.
    init(context: ConfigurationContext) {
        table["_PWD"] = Definition(value: .workingDirectory)
        table["_RANDOM"] = Definition(value: .random)
        set("_INSTANCE", to: context.configID ?? "", at: nil)
        set("_HASH", to: "#", at: nil)
        set("_BANG", to: "!", at: nil)
    }

    /// The definition of that name.
    subscript(name: String) -> Definition? {
        get { table[name] }
        set { table[name] = newValue }
    }

    /// Gives a variable a value of one line.
    mutating func set(_ name: String, to value: String, at position: SourcePosition?) {
        table[name] = Definition(
            value: .lines([value.utf8.map { Cell(byte: $0, column: 0) }]), position: position)
    }

    // MARK: Definition

    /// The name that `$NAME=value` defines, and where its value starts; nil where the line is none.
    static func definedName(in line: [Cell]) -> (name: String, valueStart: Int)? {
        guard line.count > 2, line[0].byte == UInt8(ascii: "$"), isNameStartByte(line[1].byte),
            let end = line.firstIndex(from: 2, where: { !isNameByte($0) }),
            line[end].byte == UInt8(ascii: "=")
        else { return nil }
        return (Array(line[1..<end]).text, end + 1)
    }

    // MARK: Use

    /// The variable that the `$` at `index` refers to; nil where it is no more than a character.
    ///
    /// `$NAME` counts only before a blank, `,`, `)` or the end of the line; `${NAME}` anywhere. A
    /// definition of several lines counts only at the end of a line.
    func use(at index: Int, in line: [Cell]) -> Use? {
        var next = index + 1
        let isBraced = next < line.count && line[next].byte == UInt8(ascii: "{")
        if isBraced { next += 1 }
        guard next < line.count, isNameStartByte(line[next].byte) else { return nil }
        let nameEnd = line.firstIndex(from: next, where: { !isNameByte($0) }) ?? line.count
        let name = Array(line[next..<nameEnd]).text
        guard let definition = table[name] else { return nil }
        var end = nameEnd
        var parameters: [Int] = []
        if isBraced {
            let close = line.firstIndex(from: nameEnd) { $0 != 0x20 && !isDigitByte($0) }
            guard let close, line[close].byte == UInt8(ascii: "}") else { return nil }
            parameters = line[nameEnd..<close].split { $0.byte == 0x20 }.map {
                Int(Array($0).text) ?? .max
            }
            // A blank before the brace: not after parameters; after the name, it is the brace that
            // keepalived leaves in the line.
            if !parameters.isEmpty, line[close - 1].byte == 0x20 { return nil }
            end = parameters.isEmpty ? nameEnd + 1 : close + 1
        } else if nameEnd < line.count, !Self.endsName(line[nameEnd].byte) {
            return nil
        }
        if case .random = definition.value {} else if !parameters.isEmpty { return nil }
        if definition.isMultiline, end != line.count { return nil }
        return Use(
            name: name, definition: definition, range: index..<end, parameters: parameters)
    }

    private static func endsName(_ byte: UInt8) -> Bool {
        isBlankByte(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ")")
    }
}

/// Whether the byte is a decimal digit.
func isDigitByte(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
