import Core

// What owners of tickets ask beyond the way of a request.

extension ShieldState {
    /// Whether `another` may find an upstream for a ticket, within the time that it may wait.
    package func hasAnother(ticket: UInt64) -> Bool {
        guard let place = tickets.place(of: ticket) else { return false }
        let deadline = now.addingReportingOverflow(tickets[place].patience).partialValue
        return hasUpstream(for: tickets[place], by: deadline)
    }

    /// Somebody more urgent waits for the same answer: a ticket that waits goes on waiting in that class, at its end.
    package mutating func raise(ticket: UInt64, to priority: Priority, now: Int64) -> ShieldSteps {
        var steps = begin(now)
        guard let place = tickets.place(of: ticket), priority < tickets[place].priority else { return steps }
        let isWaiting = tickets[place].state == .waiting
        let deadline = isWaiting ? queue.deadline(of: place) : 0
        if isWaiting { queue.remove(place) }
        tickets[place].priority = priority
        guard isWaiting else { return steps }
        queue.insert(place, priority, deadline: deadline, now: self.now)
        dispatch(&steps)
        if queue.count(of: priority) > plan.queue, let last = queue.last(of: priority) {
            shed(last, .queueFull, &steps)
        }
        return steps
    }
}
