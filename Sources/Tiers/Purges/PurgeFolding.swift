import Core

/// What is done about more marks than sidecars hold: the lowest give way to one mark on everything, as high as the
/// highest of them. That purges more than was asked for, and never less.
struct PurgeFolding<Item> {
    private(set) var kept: [Item] = []
    private(set) var folded: [Item] = []
    /// The number of the mark on everything that stands for what was folded; 0 where nothing was.
    private(set) var number: UInt64 = 0

    /// Folds down to three quarters of `limit`, so that it is not done again with the next mark.
    ///
    /// - Parameter number: of an item; nil for one that stays in any case.
    init(_ items: [Item], limit: Int, number: (Item) -> UInt64?) {
        guard items.count > limit else {
            kept = items
            return
        }
        let excess = items.count - limit / 4 * 3
        var numbers = items.compactMap(number)
        numbers.sort()
        guard let highest = numbers.prefix(excess).last else {
            kept = items
            return
        }
        self.number = highest
        for item in items {
            if let number = number(item), number <= highest { folded.append(item) } else { kept.append(item) }
        }
    }
}
