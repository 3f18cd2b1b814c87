/// What a text asks, without what is said around it: greetings, thanks, the marks at its end.
///
/// They never change an answer, and yet "Hi!" moves an encoder's vector further than another question would. Something
/// is taken off only where it cannot be what the text is about: a greeting where a mark sets it apart ("hello world in C"
/// keeps its first word), thanks behind the end of a sentence.
package enum PlainWording {
    /// Goes into an encoder's identity: vectors of texts that were read another way are not comparable.
    package static let identity = "plain-1"

    /// The text itself where nothing of it would be left.
    package static func of(_ text: String) -> String {
        var rest = text[...]
        let isAboutWords = isAboutWords(text)
        if !isAboutWords {
            for _ in 0..<mostCourtesies { rest = withoutOpening(rest) ?? rest }
        }
        var isQuestion = false
        rest = withoutMarks(rest, &isQuestion)
        for _ in 0..<mostCourtesies where !isAboutWords {
            guard let shorter = withoutClosing(rest) else { break }
            rest = withoutMarks(shorter, &isQuestion)
        }
        guard rest.utf8.count >= fewestBytes else { return text }
        return isQuestion ? rest + "?" : String(rest)
    }

    /// Whether a text is about wording, which courtesies may be a part of: only the marks at its end are taken off then.
    package static func isAboutWords(_ text: String) -> Bool {
        let lower = text.lowercased()
        return topics.contains { lower.contains($0) }
    }

    private static let topics = [
        "translat", "proofread", "grammar", "correct", "rewrite", "rephrase", "reply", "respond", "count", "character",
        "word",
        "polite", "rude", "formal", "mean in", " say ", "lyrics", "chord", "song", "spell", "greet", "sentence", "\"",
        "“",
        "翻译", "怎么说", "怎么讲", "字数", "改", "写道", "礼貌", "英语", "日语", "法语", "德语", "「",
    ]

    /// At each end.
    private static let mostCourtesies = 3
    /// Less is no question without what was said around it.
    private static let fewestBytes = 4

    /// Before a mark: "Hi! …", "Quick question: …".
    private static let openings = phrases(
        """
        hi|hello|hey|hi there|hello there|hey there|hi all|hello everyone|good morning|good afternoon|good evening|\
        greetings|quick question|excuse me|sorry to bother you|i have a question|just curious|please help|\
        please help me|help please|你好|您好|大家好|各位好|求助|求解|请教|请教一下|不好意思|打扰一下
        """)
    /// Before anything.
    private static let requests = phrases("please help me|please|kindly|请问一下|请问|麻烦您|麻烦你|麻烦问一下")
    /// Behind a mark.
    private static let closings = phrases(
        """
        please|pls|plz|thanks|thank you|thank you very much|thank you so much|many thanks|thanks a lot|thx|cheers|\
        thanks in advance|thank you in advance|much appreciated|any help is welcome|any help is appreciated|\
        any help would be appreciated|help would be appreciated|please help|please help me|if possible|谢谢|谢谢了|\
        谢谢你|谢谢您|谢谢大家|多谢|感谢|非常感谢|万分感谢|拜托了|拜托|在线等|急
        """)
    /// Behind anything, if it begins with a capital letter as a new sentence does.
    private static let sentences = phrases(
        "thanks in advance|thank you in advance|any help is appreciated|any help would be appreciated|thanks a lot")

    /// Longest first.
    private static func phrases(_ list: String) -> [[UInt8]] {
        list.split(separator: "|").map { Array($0.utf8) }.sorted { $0.count > $1.count }
    }

    private static func withoutOpening(_ text: Substring) -> Substring? {
        let text = text.drop { $0.isWhitespace }
        if let end = end(of: openings, in: text) {
            let behind = text[end...].drop { $0 == " " }
            let rest = behind.dropFirst().drop { isMark($0) || $0.isWhitespace }
            let phrase = text[..<end]
            // A title is in capitals behind a comma: "Hello, Dolly!"
            if let mark = behind.first, phrase.count < 3 || !phrase.allSatisfy({ !$0.isLowercase }) || mark == "!",
                isMark(mark) && (mark != "," || rest.first?.isUppercase == false)
                    || (mark == ":" || mark == "：") && lines.contains(phrase.lowercased())
            {
                return rest
            }
        }
        guard let end = end(of: requests, in: text) else { return nil }
        let rest = text[end...].drop { isMark($0) || $0.isWhitespace || $0 == ":" || $0 == "：" }
        return rest.first?.isUppercase == true && phraseIsEnglish(text) ? nil : rest
    }

    private static func withoutClosing(_ text: Substring) -> Substring? {
        if let start = start(of: closings, in: text) {
            let before = text[..<start].droppingLast { $0 == " " }
            if let mark = before.last, isMark(mark) { return before }
        }
        guard let start = start(of: sentences, in: text), text[start].isUppercase else { return nil }
        return text[..<start]
    }

    /// Of the openings, those that a colon may follow.
    private static let lines: Set<String> = [
        "quick question", "i have a question", "please help", "please help me", "help please", "just curious",
    ]

    /// "Please Like Me" is a title; Chinese has no capitals.
    private static func phraseIsEnglish(_ text: Substring) -> Bool { text.utf8.first.map { $0 < 0x80 } ?? false }

    private static func isMark(_ character: Character) -> Bool { ".,!?;~…\n\r\r\n。，！？；、～".contains(character) }

    private static func withoutMarks(_ text: Substring, _ isQuestion: inout Bool) -> Substring {
        let rest = text.droppingLast { isMark($0) || $0.isWhitespace }
        isQuestion = isQuestion || text[rest.endIndex...].contains { $0 == "?" || $0 == "？" }
        return rest
    }

    /// Where the longest phrase that the text begins with ends, if a word ends there.
    private static func end(of phrases: [[UInt8]], in text: Substring) -> Substring.Index? {
        for phrase in phrases where phrase.count < text.utf8.count {
            guard zip(phrase, text.utf8).allSatisfy({ $0 == lower($1) }) else { continue }
            let end = text.utf8.index(text.startIndex, offsetBy: phrase.count)
            if phrase.last.map({ $0 >= 0x80 }) == true || !isLetter(text.utf8[end]) { return end }
        }
        return nil
    }

    /// Where the longest phrase that the text ends with begins, if a word begins there.
    private static func start(of phrases: [[UInt8]], in text: Substring) -> Substring.Index? {
        for phrase in phrases where phrase.count < text.utf8.count {
            guard zip(phrase.reversed(), text.utf8.reversed()).allSatisfy({ $0 == lower($1) }) else { continue }
            let start = text.utf8.index(text.endIndex, offsetBy: -phrase.count)
            if phrase[0] >= 0x80 || !isLetter(text.utf8[text.utf8.index(before: start)]) { return start }
        }
        return nil
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte + 32 : byte }

    /// Of ASCII, or part of another letter.
    private static func isLetter(_ byte: UInt8) -> Bool {
        (lower(byte) >= 0x61 && lower(byte) <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || byte == 0x27 || byte == 0x2D
    }
}

extension Substring {
    fileprivate func droppingLast(_ isDropped: (Character) -> Bool) -> Substring {
        var end = endIndex
        while end > startIndex, isDropped(self[index(before: end)]) { end = index(before: end) }
        return self[..<end]
    }
}
