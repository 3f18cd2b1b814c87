import Testing

@testable import Semantic

/// Where one sign, one capital letter or one mark makes another question of a text.
@Suite struct SpellingGuardTests {
    @Test(arguments: [
        ("What is the result of x = a & b in C", "What is the result of x = a && b in C"),
        (#"Explain the regex \s+ to me"#, #"Explain the regex \S+ to me"#),
        ("Explain the regex [abc] to me", "Explain the regex [^abc] to me"),
        ("What does ++i do in C", "What does i++ do in C"),
        ("Is if (x == 1) correct in C?", "Is if (x = 1) correct in C?"),
        ("What does cmd > file do in bash?", "What does cmd >> file do in bash?"),
        ("What does ?? mean in Swift", "What does ? mean in Swift"),
        ("What is the type of {a, b} in Python", "What is the type of [a, b] in Python"),
        ("What is the type of (a, b) in Python", "What is the type of [a, b] in Python"),
        (#"Is this valid JSON? {"a": 1}"#, #"Is this valid JSON? {"a": 1,}"#),
        (#"Is this valid JSON? {"a": 1}"#, #"Is this valid JSON? {'a': 1}"#),
        ("What does rm -r do?", "What does rm -R do?"),
        ("What does the variable userId hold?", "What does the variable userID hold?"),
        ("What does let x = 2 compile to", "What does let X = 2 compile to"),
        ("Is this valid Python?\nif x:\n    pass", "Is this valid Python?\nif x:\npass"),
        ("Fix it:\n```\nif a {\n  b()\n}\nc()\n```", "Fix it:\n```\nif a {\n  b()\n c()\n}\n```"),
        ("Returns WHERE a = 2 AND b = 3 anything?", "Returns WHERE a = 2 OR b = 3 anything?"),
        ("Is A ⊂ B?", "Is A ⊃ B?"), ("Is A ⊂ B?", "Is B ⊂ A?"), ("Is x < y here?", "Is y < x here?"),
        ("Which is better, A or B? Prefer A", "Which is better, A or B? Prefer B"),

        ("What does the Spanish word año mean?", "What does the Spanish word ano mean?"),
        ("Is it spelled definately?", "Is it spelled definitely?"),
        ("Reverse the string abc", "Reverse the string ABC"),
        ("Correct the punctuation: hello how are you", "Correct the punctuation: Hello, how are you?"),
        ("What is on account DE89370400440532013000?", "What is on account DE89370400440532013001?"),
        ("كم عدد سكان مصر في عام ٢٠١٤؟", "كم عدد سكان مصر في عام ٢٠١٨؟"),
        ("Some birds fly. Do all?", "All birds fly. Do all?"),
        ("He said she lied. Who lied?", "She said he lied. Who lied?"),
    ]) func onlyTheSpellingDiffers(one: String, other: String) {
        #expect(!Guards.compare(one, other).objections.isEmpty)
        #expect(!Guards.compare(other, one).objections.isEmpty)
    }

    @Test(arguments: [
        ("where is paris", "Where is Paris?"), ("What is Node.js?", "what is node.js"),
        ("How do I turn Word into PDF", "How do I turn Word into PDF!!"),
        ("What did he say, and why?", "what did he say? And why did he?"),
        ("How do I share bookmarks and favorites?", "How do I share bookmarks or favorites?"),
        ("A cup holds $2^n$ balls: (a) is it full?", "Hello! A cup holds $2^n$ balls: (a) is it full?"),
        ("In Python, what does a[0] do?", "What does a[0] do in Python"), ("what is 2+3", "What is 2 + 3?"),
        ("Is youtube down?", "Is YouTube down"),
        ("What does it cost, $5 or 50%?", "what does it cost: $5 or 50%"), ("What is C++?", "what is c++"),
        ("Say more about R&D", "say more about R&D."),
        ("How do I make a café au lait?", "How do I make a cafe au lait?"),
        ("How does (the company) pay?", "How does the company pay?"), ("Really?? Is it?", "Really? Is it?"),
        ("Here are my notes:\n* one\n* two", "Here are my notes:\n- one\n- two"),
        ("I have two questions.\nFirst, why?", "I have two questions. First, why?"),
        ("Which string do I replace on a guitar?", "which string do I replace on a guitar"),
    ]) func theSpellingDoesNotCount(one: String, other: String) {
        #expect(Guards.compare(one, other).objections == [])
        #expect(Guards.compare(other, one).objections == [])
    }
}
