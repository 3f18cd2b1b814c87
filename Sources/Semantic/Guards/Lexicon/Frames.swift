/// Words that frame a question or lengthen a name: with the same words beside them they make another question.
enum Frames {
    /// What is asked for: a line a kind, in the order of `QuestionFocus`.
    static let questions = """
        when, at what time, since when, 什么时候, 啥时候, 啥时, 几时, 何时, 几点, 几点钟, 哪天, 哪一天, 几号, 几月几号, 几月, 哪年, 哪一年
        where, whereabouts, 哪里, 哪儿, 在哪, 何处, 什么地方
        why, how come, what for, for what reason, 为什么, 为何, 为啥, 为什麽
        who, whom, whose, 谁, 何人
        how many, how much, 多少
        how long, for how long, 多久, 多长时间
        how, 怎么, 如何, 怎样, 怎么样, 怎么办, 怎麼
        what, 什么, 啥, 哪个, 哪些
        which
        """

    /// Begins a question that is answered by yes or no.
    static let yesOrNo = """
        is, are, am, was, were, do, does, did, will, would, should, has, have, had, must, shall
        """

    /// The same, and yes may come with the way to it: `can I`, `is there`.
    static let openYesOrNo = """
        can, could, may, might, is there, are there, is there a way, is it possible, do you have, do you know, have you, do you
        can you, could you, would you, will you, should i, is there any
        """

    /// Chinese marks of yes or no.
    static let chineseYesOrNo = "吗, 是否, 是不是, 会不会, 有没有, 要不要, 对不对"
    /// With these a Chinese yes may come with the way to it; and 谁 before the second line asks anybody to answer.
    static let chineseOpen = "可以, 能, 能不能, 能否, 可否, 可不可以, 有"
    static let chineseAnybody = "知道, 有, 能, 可以, 来, 给, 帮, 介绍, 告诉, 推荐, 会, 懂, 晓得, 看过, 见过, 用过"

    /// Little words that exclude each other where one stands in the place of the other: pairs by bars, a line a guard's.
    static let exchanges = """
        all some | all most | most some | all no | some no | all none | some none | every some | every no | each some | each no | all few | many few | most few
        both either | both neither | either neither | always sometimes | sometimes never | often sometimes | usually never | usually rarely
        must may | may should | must should | near at | must can | can cannot | since until | until after | before since | since before | until from | during after | during before | before after | by after
        more less | more fewer | most least | once twice | ever never | only also | any no | any all | because despite
        if unless | when until | until unless | although because | for against | above below | in out | into from | near far | already yet
        所有 部分 | 全部 部分 | 所有 有些 | 都 只 | 总是 有时 | 每个 某个 | 至少 至多 | 最多 最少 | 之前 之后 | 以前 以后 | 以上 以下 | 以内 以外 | 如果 除非 | 直到 自从 | 或 和 | 或者 并且 | 且 或 | 经常 偶尔 | 从 到
        """

    /// Restricts or stretches what is said; with it and without it are two questions.
    static let restrictions = """
        only, solely, exclusively, almost, nearly, half, twice, double, triple, except, quarter, no longer, not yet
        in place, cooked, raw, frozen, undercooked, canned, infected, nested, expired, damaged, deleted, shared, locked
        newborn, pregnant, diabetic, elderly, allergic, breastfeeding
        仅, 只, 仅仅, 只有, 只能, 几乎, 一半, 两倍, 除了
        """

    /// Behind a name they name another model.
    static let models = """
        pro, max, mini, plus, air, ultra, lite, se, xl, fe, ti, xs, xr, turbo, nano, micro, super, enterprise, premium, deluxe
        junior, senior, jr, sr, neo, fold, flip, prime, 青春版, 标准版, 专业版, 旗舰版, 家庭版, 企业版, 增强版, 豪华版, 国际版, 顶配版
        """

    /// Beside a name they make another name of it.
    static let extensions = """
        new, north, south, east, west, northern, southern, eastern, western, central, upper, lower, equatorial, republic of, republic
        democratic republic of, city, island, islands, university, county, state university, state, airport, district, province, bissau, old, great, greater, saint
        papua, peoples republic of, american, british, french, dutch
        """

    /// Units that differ in their capital letters alone: the ways to write one on either side of the bar.
    static let casedUnits = """
        Mb Mbit|MB
        Gb Gbit|GB
        Kb kb Kbit|KB kB
        Tb Tbit|TB
        Mbps|MBps
        mW|MW
        mg|Mg
        mHz|MHz
        mV|MV
        mA|MA
        mm|Mm
        mPa|MPa
        mJ|MJ
        mN|MN
        nm|Nm
        pA|PA
        """

    /// Words that a capital letter makes another word of.
    static let casedWords = """
        polish china turkey march may august apple python chile nice reading job bill mark frank mobile bath cork shell target
        gap amazon swift rust ruby cancer mercury oracle lent jordan java us it who aids ram pole bush rice brown black cook
        windows lima hamburger georgia cologne japan panama crane guinea titan tesla hawking pat sue jack rose faith hope grace
        """
}
