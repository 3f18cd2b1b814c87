/// Words that may stand for each other in a question. They count as the same word.
enum Synonyms {
    static let english = """
        begin, start, commence
        buy, purchase
        fix, repair, mend, troubleshoot
        delete, remove, erase
        """
    static let chinese = """
        计算机, 电脑
        """
}
