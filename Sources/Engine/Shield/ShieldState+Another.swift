extension ShieldState {
    /// Whether `another` may find an upstream for a ticket, within the time that it may wait.
    package func hasAnother(ticket: UInt64) -> Bool {
        guard let place = tickets.place(of: ticket) else { return false }
        let deadline = now.addingReportingOverflow(tickets[place].patience).partialValue
        return hasUpstream(for: tickets[place], by: deadline)
    }
}
