/// Those who wait for a lab to get into a state.
///
/// They are asked in the order in which they began to wait. A look at the lab may itself bring
/// about further waiting, or another round of asking: neither disturbs the round that is on.
final class Waiters {
    /// How a wait ends.
    typealias Outcome = Result<Void, LabError>

    private struct Waiter {
        var check: () -> Outcome?
        var completion: (Outcome) -> Void
    }

    private var waiters: [Waiter] = []
    private var isAsking = false
    private var isAskedAgain = false

    /// Adds one, who is asked from the next round on.
    ///
    /// - Parameters:
    ///   - check: how its wait ends; nil while it goes on.
    ///   - completion: called once, after the round in which `check` gave a result.
    func add(check: @escaping () -> Outcome?, completion: @escaping (Outcome) -> Void) {
        waiters.append(Waiter(check: check, completion: completion))
    }

    /// Asks all of them.
    func ask() {
        isAskedAgain = true
        guard !isAsking else { return }
        isAsking = true
        defer { isAsking = false }
        while isAskedAgain {
            isAskedAgain = false
            askOnce()
        }
    }

    private func askOnce() {
        let asked = waiters
        waiters = []
        var due: [(Waiter, Outcome)] = []
        let patient = asked.filter { waiter in
            guard let outcome = waiter.check() else { return true }
            due.append((waiter, outcome))
            return false
        }
        waiters = patient + waiters
        for (waiter, outcome) in due { waiter.completion(outcome) }
    }
}
