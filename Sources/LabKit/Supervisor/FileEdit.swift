import LabModel
import LinuxSystem
import NetworkTypes

// How `edit` replaces files of nodes that run.

extension Supervisor {
    /// Replaces files one after the other; whoever has one open keeps the old one, as after any
    /// editor. `completion` is called once, with the first failure.
    func lay(
        _ files: ArraySlice<Scenario.FileOverride>,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        guard let next = files.first else { return completion(.success(())) }
        lay(next.file, on: next.node) { [unowned self] result in
            guard case .success = result else { return completion(result) }
            lay(files.dropFirst(), completion: completion)
        }
    }

    private func lay(
        _ file: NodeFile, on name: String,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        // The new file is whole before it has the old one's name.
        let script = """
            set -e; new="$1.labctl-new"; mkdir -p "${1%/*}"; cat > "$new"
            chmod "$2" "$new"; chown "$3" "$new"; mv -f "$new" "$1"
            """
        // Without a group it stays whose it is: chown refuses a number with an empty one.
        let owner = (file.owner ?? "0") + (file.group.map { ":" + $0 } ?? "")
        let mode = String(file.mode, radix: 8)
        do {
            let node = try runningNode(name)
            let path = "\(directory.diskPath)/edit"
            try FileSystem.write(file.contents, to: path)
            let input = SharedDescriptor(try FileSystem.openForReading(path))
            try FileSystem.remove(path)
            _ = try NodeCommand(
                ["sh", "-c", script, "sh", file.path, mode, owner], on: node, input: input,
                loop: loop
            ) { result in
                switch result {
                case .exited(.status(0), _), .done: completion(.success(()))
                case .exited(let reason, let output):
                    let words = output.split(separator: "\n").joined(separator: "; ")
                    completion(.failure(.failed("\(file.path) on \(name): \(reason): \(words)")))
                case .failed(let reason):
                    completion(.failure(.failed("\(file.path) on \(name): \(reason)")))
                }
            }
        } catch {
            completion(.failure(error as? LabError ?? .failed("\(error)")))
        }
    }
}
