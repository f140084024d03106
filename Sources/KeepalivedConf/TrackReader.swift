import NetworkTypes

/// What the file defines before the place that is being read.
struct KnownDefinitions {
    var scripts: [VRRPScript] = []
    var files: [TrackFile] = []
    var processes: [TrackProcess] = []
    /// The names of virtual interfaces that instances were given, with the instance's.
    var virtualInterfaces: [InterfaceName: String] = [:]
    var rulePriorities = RulePriorities()
    /// The names of `bfd_instance`s, which are known but do nothing.
    var bfdInstances: Set<String> = []
}

/// Reads the lines of `track_interface` and its kin, of an instance or of a group.
struct TrackReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    /// Whose they are, for messages.
    let owner: String
    let known: KnownDefinitions
    private(set) var lists: TrackedLists

    init(owner: String, known: KnownDefinitions, lists: TrackedLists) {
        self.owner = owner
        self.known = known
        self.lists = lists
    }

    private var tag: String { "(\(owner))" }

    /// Reads one block.
    mutating func read(_ block: Statement) {
        for entry in block.entries {
            switch block.name {
            case "track_interface": readInterface(entry)
            case "track_script": readScript(entry)
            case "track_file": readFile(entry)
            case "track_process": readProcess(entry)
            case "track_bfd" where !known.bfdInstances.contains(entry.words[0].text):
                adjusted(
                    entry.position,
                    "\(tag) track bfd \(entry.words[0].text) not found, ignoring...")
            default: break
            }
        }
    }

    private mutating func readInterface(_ entry: Statement.Entry) {
        let word = entry.words[0]
        guard let interface = InterfaceName(word.text) else {
            refused(word.position, "\(tag) tracked interface \(word.text) doesn't exist")
            return
        }
        guard !lists.interfaces.contains(where: { $0.interface == interface }) else {
            adjusted(
                word.position, "\(tag) duplicate track_interface \(interface) - ignoring")
            return
        }
        let tag = tag
        let words = WeightWords(
            unknownOption: {
                "\(tag) unknown track_interface \(interface) option \($0) - ignoring"
            },
            missing: "\(tag) weight without value specified for track_interface \(interface)"
                + " - ignoring",
            outOfRange: {
                "\(tag) weight \($0) for \(interface) must be between [-253..253] inclusive."
                    + " Ignoring..."
            },
            limit: "\(tag) weight for \(interface) cannot be +/-254. Setting to +/-253",
            unknownDirection: {
                "\(tag) unknown track_interace \(interface) weight option \($0) - ignoring"
            }, knowsNoreverse: false)
        guard let weight = readWeight(entry, words) else { return }
        lists.interfaces.append(
            VRRPInstance.TrackedInterface(
                interface: interface, weight: weight.value ?? 0,
                isReversed: weight.isReversed ?? false, position: word.position))
    }

    private mutating func readScript(_ entry: Statement.Entry) {
        let word = entry.words[0]
        let name = word.text
        guard let script = known.scripts.first(where: { $0.name == name }) else {
            adjusted(
                word.position, "\(tag) track script \(name) not found, ignoring...",
                detail: "a vrrp_script must be defined before the instance that tracks it")
            return
        }
        guard !lists.scripts.contains(where: { $0.name == name }) else {
            adjusted(word.position, "\(tag) duplicate track_script \(name) - ignoring")
            return
        }
        let tag = tag
        let words = WeightWords(
            unknownOption: { "\(tag) unknown track script option \($0) - ignoring" },
            missing: "\(tag) weight without value specified for track script \(name) - ignoring",
            outOfRange: { _ in
                "\(tag) track script \(name): weight must be between [-253..253] inclusive,"
                    + " ignoring..."
            },
            limit: "\(tag) weight for \(name) cannot be +/-254. Setting to +/-253",
            unknownDirection: {
                "\(tag) unknown track_script \(name) weight option \($0) - ignoring"
            })
        guard let weight = readWeight(entry, words) else { return }
        lists.scripts.append(
            VRRPInstance.TrackedScript(
                name: name, weight: weight.value,
                isReversed: weight.isReversed ?? script.isReversed, position: word.position))
    }

    private mutating func readFile(_ entry: Statement.Entry) {
        let name = entry.words[0].text
        guard
            let isReversed = isReversed(
                known.files.first { $0.name == name }?.isReversed, entry, "track file",
                detail: "a track_file must be defined before the instance that tracks it"),
            isNew(entry, among: lists.files, "track_file")
        else { return }
        let tag = tag
        let words = WeightWords(
            unknownOption: { "\(tag) unknown track file option \($0) - ignoring" },
            missing: "\(tag) weight without value specified for track file \(name) - ignoring",
            outOfRange: { _ in
                "\(tag) weight for track file \(name) must be in [-254..254] inclusive. Ignoring..."
            },
            unknownDirection: {
                "\(tag) unknown track file \(name) weight option \($0) - ignoring"
            }, ignoresLineOfUnknownDirection: true)
        if let object = object(entry, words, isReversed: isReversed) { lists.files.append(object) }
    }

    private mutating func readProcess(_ entry: Statement.Entry) {
        let name = entry.words[0].text
        guard
            let isReversed = isReversed(
                known.processes.first { $0.name == name }?.isReversed, entry, "track process",
                detail: "a vrrp_track_process must be defined before the instance that tracks it"),
            isNew(entry, among: lists.processes, "track_process")
        else { return }
        let tag = tag
        let words = WeightWords(
            unknownOption: { "\(tag) unknown track process option \($0) - ignoring" },
            missing: "\(tag) weight without value specified for track process \(name) - ignoring",
            outOfRange: { _ in
                "\(tag) weight for track process \(name) must be in [-254..254] inclusive."
                    + " Ignoring..."
            },
            unknownDirection: {
                "\(tag) unknown track_process \(name) weight option \($0) - ignoring"
            })
        if let object = object(entry, words, isReversed: isReversed) {
            lists.processes.append(object)
        }
    }

    /// What a definition says of its direction; nil, and reported, where there is no definition.
    private mutating func isReversed(
        _ defined: Bool?, _ entry: Statement.Entry, _ kind: String, detail: String
    ) -> Bool? {
        if defined == nil {
            adjusted(
                entry.position, "\(tag) \(kind) \(entry.words[0].text) not found, ignoring...",
                detail: detail)
        }
        return defined
    }

    /// Whether the line's name is not on the list yet; reported where it is.
    private mutating func isNew(
        _ entry: Statement.Entry, among objects: [VRRPInstance.TrackedObject], _ keyword: String
    ) -> Bool {
        let name = entry.words[0].text
        guard objects.contains(where: { $0.name == name }) else { return true }
        adjusted(entry.position, "\(tag) duplicate \(keyword) \(name) - ignoring")
        return false
    }

    private mutating func object(
        _ entry: Statement.Entry, _ words: WeightWords, isReversed: Bool
    ) -> VRRPInstance.TrackedObject? {
        readWeight(entry, words).map { weight in
            VRRPInstance.TrackedObject(
                name: entry.words[0].text, weight: weight.value,
                isReversed: weight.isReversed ?? isReversed, position: entry.position)
        }
    }

    // MARK: NAME weight NUMBER reverse

    /// What is said of such a line.
    private struct WeightWords {
        var unknownOption: (String) -> String
        var missing: String
        var outOfRange: (String) -> String
        /// What is said of ±254 where that is not a weight; nil where it is.
        var limit: String?
        var unknownDirection: (String) -> String
        var knowsNoreverse = true
        var ignoresLineOfUnknownDirection = false
    }

    private struct Weight {
        /// nil: not written, or not valid.
        var value: Int?
        /// nil: not written.
        var isReversed: Bool?
    }

    /// Reads what follows the name; nil, and reported, when keepalived ignores the line.
    private mutating func readWeight(_ entry: Statement.Entry, _ words: WeightWords) -> Weight? {
        guard entry.words.count > 1 else { return Weight() }
        let option = entry.words[1]
        guard option.text == "weight" else {
            adjusted(option.position, words.unknownOption(option.text))
            return nil
        }
        guard entry.words.count > 2 else {
            adjusted(option.position, words.missing)
            return nil
        }
        let number = entry.words[2]
        var weight = Weight(
            value: integer(number, in: -254...254, else: words.outOfRange(number.text)))
        if let limit = words.limit, let value = weight.value, abs(value) == 254 {
            adjusted(number.position, limit)
            weight.value = value.signum() * 253
        }
        guard entry.words.count > 3 else { return weight }
        switch entry.words[3].text {
        case "reverse": weight.isReversed = true
        case "noreverse" where words.knowsNoreverse: weight.isReversed = false
        default:
            adjusted(entry.words[3].position, words.unknownDirection(entry.words[3].text))
            if words.ignoresLineOfUnknownDirection { return nil }
        }
        return weight
    }
}
