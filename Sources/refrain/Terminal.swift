import Foreign

/// Standard output, where a command puts what it was asked for.
enum Output {
    static func write(_ text: String) throws(CommandFailure) { try write([UInt8](text.utf8)) }

    /// One JSON value, on a line of its own.
    static func write(json: [UInt8]) throws(CommandFailure) { try write(json + [UInt8(ascii: "\n")]) }

    private static func write(_ bytes: [UInt8]) throws(CommandFailure) {
        guard Console.write(bytes, to: .output) else {
            throw .failed("standard output cannot be written; see that it is open and its disk is not full")
        }
    }
}

/// Emphasis for people; plain text for files and other programs.
struct TerminalStyle: Sendable {
    enum Colour: Int, Sendable {
        case red = 31
        case green = 32
        case yellow = 33
        case cyan = 36
    }

    let isOn: Bool

    /// Empties the screen and goes to its upper left corner.
    static let clear = "\u{1B}[H\u{1B}[2J"

    /// On where standard output is a terminal and `NO_COLOR` is unset or empty.
    static func detect(environment: [(name: String, value: String)]) -> TerminalStyle {
        let isForbidden = environment.contains { $0.name == "NO_COLOR" && !$0.value.isEmpty }
        return TerminalStyle(isOn: Console.isTerminal(.output) && !isForbidden)
    }

    func bold(_ text: String) -> String { isOn ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    func coloured(_ text: String, _ colour: Colour) -> String {
        isOn ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}

/// Rows in aligned columns; numbers belong on the right.
struct TextTable {
    struct Column {
        var title: String
        var isNumber = false
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "TextTable: a row has a cell for every column")
        rows.append(cells)
    }

    /// Two spaces between columns, none at the ends of lines; the titles emphasised.
    func text(_ style: TerminalStyle) -> String {
        let widths = columns.indices.map { column in
            max(columns[column].title.count, rows.map { $0[column].count }.max() ?? 0)
        }
        func line(_ cells: [String]) -> String {
            var result = ""
            for (column, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                let isLast = column == cells.count - 1
                result += columns[column].isNumber ? padding + cell : cell + (isLast ? "" : padding)
                if !isLast { result += "  " }
            }
            return result
        }
        return style.bold(line(columns.map(\.title))) + "\n" + rows.map { line($0) + "\n" }.joined()
    }
}

/// Names and explanations in two columns, as helps show them.
func columns(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { "  \($0)\(String(repeating: " ", count: width - $0.count + 2))\($1)\n" }.joined()
}
