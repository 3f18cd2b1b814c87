import Core

extension MemoryShard {
    /// Checks that table, lists, slab and sums tell the same story; returns what does not, in words.
    func checkInvariants() -> [String] {
        var faults: [String] = []
        var listed = 0
        for (segment, list) in [
            (Segment.window, window), (Segment.probation, probation), (Segment.protected, protected),
        ] {
            listed += check(list, as: segment, faults: &faults)
        }
        var chained = 0
        for bucket in 0..<table.bucketCount {
            var index = table.head(of: bucket)
            while index != Node.none, chained <= slab.used {
                if table.bucket(of: slab[index].pointee.key) != bucket { faults.append("node \(index): wrong bucket") }
                chained += 1
                index = slab[index].pointee.chain
            }
        }
        if listed != slab.used { faults.append("\(listed) nodes in lists, \(slab.used) in use") }
        if chained != slab.used { faults.append("\(chained) nodes in chains, \(slab.used) in use") }
        if bytes > capacity { faults.append("\(bytes) bytes held, capacity \(capacity)") }
        if window.bytes > segmentation.window { faults.append("window above its share") }
        if protected.bytes > segmentation.protected { faults.append("protected segment above its share") }
        return faults
    }

    /// Walks one list both ways; returns how many nodes it has.
    private func check(_ list: RecencyList, as segment: Segment, faults: inout [String]) -> Int {
        var count = 0
        var sum = 0
        var newer = Node.none
        var index = list.newest
        while index != Node.none, count <= slab.used {
            let node = slab[index].pointee
            if node.newer != newer { faults.append("node \(index): link to newer is broken") }
            if node.segment != segment { faults.append("node \(index): in the wrong list") }
            if table.find(node.key, in: slab) != index { faults.append("node \(index): not found by its key") }
            let charge = (node.entry?.byteCount ?? 0) + slotBytes
            if Int(node.charge) != charge { faults.append("node \(index): charged \(node.charge), is \(charge)") }
            count += 1
            sum += charge
            newer = index
            index = node.older
        }
        if list.oldest != newer { faults.append("\(segment): oldest is not the end of the list") }
        if list.bytes != sum { faults.append("\(segment): \(list.bytes) bytes noted, \(sum) listed") }
        return count
    }
}
