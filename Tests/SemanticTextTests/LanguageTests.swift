import Semantic
import Testing

/// Which texts in Latin letters an English encoder reads.
@Suite struct LanguageTests {
    private static func lines(_ table: String) -> [String] { table.split(separator: "\n").map(String.init) }

    @Test(arguments: lines(strange)) func anotherLanguageIsNotRead(_ text: String) {
        #expect(!LanguageShare(text).isEnglish)
        let tokens = TokenizedText(ids: Array(repeating: 7, count: 14), unknown: 0)
        let english = ScriptCoverage((0..<1500).map { "word\($0)" })
        #expect(Readability(of: text, tokens, by: english) == .unknownLanguage)
    }

    @Test(arguments: lines(english)) func shortEnglishQuestionsStayReadable(_ text: String) {
        #expect(LanguageShare(text).isEnglish)
    }

    @Test func thereAreEnoughOfThem() {
        #expect(Self.lines(Self.english).count >= 200)
        #expect(Self.lines(Self.strange).count >= 48)
    }

    /// A vocabulary that has the words of a language was made for it.
    @Test func anEncoderOfManyLanguagesReadsThem() {
        let words = LanguageWords.all.split { $0 == " " || $0 == "\n" || $0 == ":" }.map(String.init)
        let coverage = ScriptCoverage((0..<1500).map { "word\($0)" } + words)
        let tokens = TokenizedText(ids: Array(repeating: 7, count: 14), unknown: 0)
        for text in Self.lines(Self.strange) {
            #expect(Readability(of: text, tokens, by: coverage) == .readable, "\(text)")
        }
    }

    private static let strange = """
        Wie öffne ich die Datei?
        Wie schließe ich die Datei?
        Tür öffnen
        Was kostet ein Haus in München?
        Warum ist der Himmel blau?
        Welche Vorteile hat das?
        Wie kann ich das Fenster schließen?
        Comment ouvrir un fichier ?
        Comment fermer un fichier ?
        Pourquoi le ciel est bleu ?
        Une recette avec du lait
        Une recette sans lait
        Quelle est la capitale de la France ?
        Combien coûte une maison ?
        ¿Cómo abrir la puerta?
        ¿Cómo cerrar la puerta?
        ¿Qué hacer antes de comer?
        ¿Qué hacer después de comer?
        Cuál es la capital de Francia
        Dónde puedo comprar pan
        Como abrir uma janela
        Como fechar uma janela
        Qual é a capital do Brasil?
        Por que o céu não é verde?
        Quanto custa uma casa?
        Come si apre il file?
        Come si chiude il file?
        Qual è la capitale della Francia?
        Perché il cielo è blu?
        Una ricetta senza latte
        Hoe kan ik het raam openen?
        Hoe kan ik het raam sluiten?
        Wat is de hoofdstad van Frankrijk?
        Waarom is het water koud?
        Kapı nasıl açılır?
        Kapı nasıl kapatılır?
        Fransa'nın başkenti nedir?
        Bu dosya neden açılmıyor?
        Làm thế nào để mở cửa?
        Làm thế nào để đóng cửa?
        Thủ đô của Pháp là gì?
        Tại sao bầu trời có màu xanh?
        Jak włączyć światło?
        Jak wyłączyć światło?
        Hur öppnar jag filen?
        Hur stänger jag filen?
        Hvordan åbner jeg filen?
        Hvorfor er himlen blå?
        Miten avaan tiedoston?
        Jak otevřít soubor?
        Cum deschid fereastra?
        Hogyan lehet kinyitni az ajtót?
        Bagaimana cara membuka pintu?
        Bagaimana cara menutup pintu?
        """

    private static let english =
        topics.flatMap { topic in
            forms.map { $0.replacing("_", with: topic) }
        }.joined(separator: "\n") + "\n" + short

    private static let topics = [
        "a mortgage", "photosynthesis", "Los Angeles", "café au lait", "kubectl", "a haiku", "Rio de Janeiro",
        "Beyoncé",
        "the Louvre", "numpy.reshape",
    ]
    private static let forms = [
        "What is _?", "Explain _ to me", "why is _ so popular", "How does _ work?", "Tell me about _", "is _ any good",
        "who invented _", "Where do I find _?", "_ vs others, which is better?", "What does _ mean?",
        "When was _ made?",
        "how much for _", "Write a poem about _", "Give me 3 facts about _", "Should I avoid _?", "_ for beginners",
    ]

    private static let short = """
        Is it on?
        Am I late?
        no sound
        hello
        weather
        git rebase -i
        Las Vegas hotels
        El Niño effects
        São Paulo weather
        list files
        def f(x): return x
        SELECT * FROM users
        What is an a la carte menu?
        How do I die in a game?
        Do I need a visa to go to Chile?
        as soon as possible
        so what
        resume vs résumé
        naïve Bayes
        jalapeño recipe
        How do I say "ich liebe dich" in English?
        Translate "où est la gare" to English
        Was it me?
        is a man an animal
        I am in a car
        Do no harm
        Kylian Mbappe
        Marie Curie's main achievements
        x + y = z
        Is example.com a scam?
        Vincent van Gogh
        Leonardo da Vinci paintings
        Who is Robert De Niro?
        Charles de Gaulle airport code
        la la land movie
        Ludwig van Beethoven symphonies
        what is due
        on or off
        best pho near me
        How to cook al dente pasta?
        per capita income
        pros and cons
        vis a vis
        et cetera meaning
        Make it so
        What is 2 + 2?
        iPhone 12 Pro
        Is sushi raw?
        Set an alarm
        """
}

/// No list has the opposites of other languages: only what is no part of the question may differ.
@Suite struct OtherLanguagePairsTests {
    @Test(arguments: [
        ("Wie öffne ich die Datei?", "Wie schließe ich die Datei?"), ("Tür öffnen", "Tür schließen"),
        ("Une recette avec du lait", "Une recette sans lait"),
        ("¿Qué hacer antes de comer?", "¿Qué hacer después de comer?"),
        ("Como abrir uma janela", "Como fechar uma janela"), ("Come si apre il file?", "Come si chiude il file?"),
        ("Hoe kan ik het raam openen?", "Hoe kan ik het raam sluiten?"),
        ("Kapı nasıl açılır?", "Kapı nasıl kapatılır?"), ("Làm thế nào để mở cửa?", "Làm thế nào để đóng cửa?"),
        ("Jak włączyć światło?", "Jak wyłączyć światło?"),
        ("Bagaimana cara membuka pintu?", "Bagaimana cara menutup pintu?"),
    ]) func otherWordsAreRefused(_ one: String, _ other: String) {
        #expect(Guards.compare(one, other).objections.contains { $0.guardian == .language })
        #expect(Guards.compare(other, one).objections.contains { $0.guardian == .language })
    }

    @Test(arguments: [
        ("Wie öffne ich die Datei?", "wie öffne ich die datei"),
        ("Hallo, wie öffne ich die Datei? Danke", "Wie öffne ich die Datei"),
        ("Como abrir uma janela", "como abrir uma janela, por favor"), ("Kapı nasıl açılır?", "Kapı  nasıl açılır"),
        ("Jak włączyć światło?", "jak włączyć światło"),
    ]) func courtesiesAndMarksPass(_ one: String, _ other: String) {
        #expect(Guards.compare(one, other).objections == [])
        #expect(Guards.compare(other, one).objections == [])
    }
}
