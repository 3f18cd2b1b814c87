/// Words between two things that may not change places, and words that let them.
enum Directions {
    static let leading = """
        to, into, towards, toward, than, over, →, >, ⇒, beat, beats, defeat, defeats, defeated, outperform, outperforms, surpass, surpasses, exceed, exceeds
        owe, owes, hit, hits, kill, killed, follow, follows, invade, invaded, sue, sued, hire, hired, teach, teaches, love, loves, cause, causes, caused
        inherit, inherits, extend, extends, replace, replaces, replaced, attack, attacked, influence, influenced, affect, affects, affected
        trigger, triggers, bite, bites, bit, scratch, scratches, lend, lends, lent, refuse, refuses, assault, assaults, infect, infects, harm, harms, feed, feeds, fed
        precede, precedes, acquire, acquired, inspire, inspired, report to, by
        到, 去, 至, 飞, 飞往, 飞到, 开往, 前往, 往, 转, 转成, 转为, 转换成, 转换为, 转换到, 转化为, 变成, 变为, 换算成, 换算为, 换算, 换成, 兑换成, 兑换, 兑, 折合, 译成, 译为, 翻译成, 翻译为, 翻译到, 改成, 改为, 改写成, 改写为, 写成, 移植成, 替换成, 替换为, 换到, 升到, 调到, 调成, 移到, 搬到, 改到, 推迟到, 提前到, 导入, 导出到, 移植到, 迁移到, 迁移至, 升级到, 发到, 寄到
        比, 打败, 击败, 战胜, 赢了, 输给, 优于, 好于, 强于, 胜过, 超过, 大于, 小于, 高于, 低于, 欠, 借给, 爱, 喜欢, 杀了, 追, 影响, 导致, 引起, 收购, 投资, 进攻, 侵略, 教, 属于, 包含, 继承, 代替, 取代, 替代, 给, 送给, 还给, 教给, 告诉
        """

    static let starting = """
        from, starting from, out of, 从, 自, 由
        """

    static let asking = """
        how many, how much, number of, what number of, 多少, 几, 是多少, 等于多少, 几个
        """

    static let joining = """
        and, or, vs, versus, between, with, &, +, ×, *, plus, times, as well as, along with, 和, 与, 跟, 或, 或者, 还是, 及, 以及, 同, 加, 乘, 乘以, 加上
        """
}
