/// Pairs of opposites: a line an axis, its two ends on either side of the bar. Where a text has one end and the other
/// text the other end, they ask for different things. Written for this purpose; no list of others' was taken over.
enum Opposites {
    static let english = """
        increase, raise, grow, boost, gain, enlarge, expand, escalate, rise, heighten, elevate, step up, go up, scale up, maximize, maximise, ramp up, amplify, growth | decrease, reduce, lower, shrink, diminish, lessen, decline, drop, cut, cut down, scale down, go down, minimize, minimise, bring down, reduction, fall, dwindle, curb
        maximum, maximal, max, most, largest, biggest, highest, greatest, at most, upper bound, ceiling | minimum, minimal, min, least, smallest, lowest, fewest, at least, lower bound, floor
        more than, over, above, exceed, greater than, at least, larger than, higher than, bigger than | less than, under, below, fewer than, smaller than, lower than
        advantage, benefit, pro, pros, upside, strength, strong point, merit, plus side, good side, positive aspect, perk | disadvantage, drawback, con, cons, downside, weakness, weak point, demerit, shortcoming, flaw, bad side, negative aspect, harm, risk
        turn on, switch on, enable, activate, power on, start up, engage | turn off, switch off, disable, deactivate, power off, shut down, shut off, disengage
        on | off
        mute, silence | unmute
        open, unlock, unseal, reopen | close, lock, shut, seal
        lock | unlock
        add, insert, append, attach, include, adding | remove, delete, erase, detach, exclude, drop, take out, get rid of, omit, strip
        install, reinstall, set up | uninstall, deinstall, remove
        create, build, construct, found, establish, set up, form | destroy, delete, demolish, dismantle, tear down, dissolve, drop
        start, begin, launch, commence, initiate, resume, kick off, beginning, opening | stop, end, finish, quit, halt, terminate, cease, conclude, pause, cancel, abort, ending, closing
        first, earliest, initial, former | last, latest, final, latter
        first | second | third
        earliest, oldest, old, ancient, aged | newest, latest, most recent, new, modern, recent
        young, younger, youngest, junior, youth, child, children, kid, infant | old, older, oldest, senior, elderly, adult, elder
        before, prior to, previous, pre, preceding, ahead of, earlier, beforehand | after, following, post, next, subsequent, later, afterwards, afterward
        early, sooner, earlier | late, later
        next, coming, upcoming | last, previous, past
        simple, plain, layman | technical, expert, advanced, formal
        increasing, ascending, upward, upwards, rising | decreasing, descending, downward, downwards, falling
        ascending, ascending order, asc, smallest to largest, low to high, smallest first, oldest first | descending, descending order, desc, largest to smallest, high to low, largest first, newest first, reverse order
        up, upstairs, upper, upward | down, downstairs, lower, downward
        left, left hand, left side, leftmost | right, right hand, right side, rightmost
        top, upper | bottom, lower
        front, forward, forwards, ahead | back, backward, backwards, rear, behind
        inside, indoors, indoor, inner, internal, interior, within, inward | outside, outdoors, outdoor, outer, external, exterior, outward
        inbound, incoming, arrival, arrive, arriving, ingress, entry, enter, entrance, check in, log in, login, sign in, sign on, clock in, board, opt in, import | outbound, outgoing, departure, depart, departing, egress, exit, leave, check out, log out, logout, sign out, log off, clock out, disembark, opt out, export
        import, importing, imports, download, pull, fetch, read, receive, incoming | export, exporting, exports, upload, push, send, write, outgoing
        buy, purchase, acquire, buyer, buying, bid | sell, seller, selling, sale, ask
        lend, loan out, lender | borrow, borrower
        rent out, lease out, landlord | rent, tenant
        give, donate, provide, offer, donor | take, receive, accept, recipient, obtain
        win, won, winner, victory, succeed, success, pass, passed | lose, lost, loser, defeat, fail, failed, failure, came last, came in last, finished last
        love, like, adore, enjoy, favorite, favourite | hate, dislike, detest, loathe, least favorite
        good, great, beneficial, positive, excellent, pleasant, favorable, favourable, healthy, helpful | bad, poor, harmful, negative, terrible, awful, unpleasant, unfavorable, unhealthy, evil, adverse
        best, top, greatest, most popular, finest | worst, least popular, poorest
        better, improve, enhance, strengthen, improvement | worse, worsen, degrade, weaken, aggravate, deteriorate, deterioration
        hot, warm, heat, warmer, heating, hottest | cold, cool, chill, cooler, cooling, coldest, freeze, freezing
        fast, quick, rapid, speedy, faster, fastest, accelerate, speed up, quicken | slow, slower, slowest, slow down, decelerate, delay
        high, tall, higher, highest, taller, tallest | low, short, lower, lowest, shorter, shortest
        big, large, huge, larger, bigger, great | small, little, tiny, smaller, miniature
        long, longer, longest, lengthen, extend, prolong, lengthy | short, shorter, shortest, shorten, brief
        wide, broad, widen, wider, widest | narrow, narrower, narrowest
        thick, thicker, thicken, fat | thin, thinner, thinnest, slim
        deep, deeper, deepest | shallow, shallower, shallowest
        heavy, heavier, heaviest | light, lighter, lightest, lightweight
        strong, stronger, strongest, powerful | weak, weaker, weakest, feeble
        hard, difficult, tough, harder, hardest, challenging | easy, simple, easier, easiest, effortless
        rich, wealthy, richest, affluent | poor, poorest, needy
        cheap, cheapest, inexpensive, affordable, cheaper, budget, low cost, least expensive | expensive, most expensive, costly, pricey, luxury
        free, free of charge, gratis | paid, premium, chargeable
        safe, secure, harmless, safely | unsafe, dangerous, hazardous, harmful, insecure, risky
        legal, lawful, permitted, allowed, legally, legalize, permit, allow | illegal, unlawful, forbidden, prohibited, banned, illegally, ban, prohibit, forbid, outlaw
        allow, permit, enable, let, whitelist, allowlist, unblock, grant | block, deny, forbid, prohibit, ban, blacklist, blocklist, prevent, revoke, disallow
        true, correct, right, accurate, valid | false, incorrect, wrong, inaccurate, invalid
        possible, feasible, able | impossible, infeasible, unable
        happy, glad, cheerful, joyful, happiness, optimistic | sad, unhappy, miserable, sadness, depressed, pessimistic
        optimist, optimistic | pessimist, pessimistic
        rude, impolite, offensive, aggressive | polite, courteous, friendly
        formal, official, professional | informal, casual, colloquial, unofficial
        public, publicly, open source | private, privately, confidential, closed source, proprietary
        male, man, men, boy, boys, masculine, father, son, husband, brother, uncle, king, he, his, him, gentleman, groom, dad | female, woman, women, girl, girls, feminine, mother, daughter, wife, sister, aunt, queen, she, her, lady, bride, mom
        parent, mother, father, mom, dad | child, son, daughter, kid
        even | odd
        positive, plus | negative, minus
        add, addition, plus, sum | subtract, subtraction, minus, difference
        multiply, multiplication, times, product | divide, division, quotient
        encrypt, encode, encoding, encryption, encipher | decrypt, decode, decoding, decryption, decipher
        compress, zip, archive, pack, compression | decompress, unzip, extract, unpack, unarchive, decompression
        serialize, marshal, stringify | deserialize, unmarshal, parse
        connect, attach, link, join, pair, plug in, subscribe, couple | disconnect, detach, unlink, separate, unpair, unplug, unsubscribe, decouple
        join, enroll, sign up, register | leave, quit, withdraw, resign, unregister, drop out
        subscribe, follow | unsubscribe, unfollow
        follow, obey, comply, keep | disobey, violate, break
        hide, hidden, conceal, invisible, collapse | show, reveal, display, unhide, visible, expand
        do, redo | undo
        wrap, fold | unwrap, unfold
        mount | unmount, umount, dismount
        load, charge, fill, fill up, refill | unload, discharge, empty, drain, deplete
        charge, charging | discharge, discharging
        employ, hire, recruit | fire, dismiss, lay off, sack, layoff
        promote, promotion | demote, demotion
        accept, approve, agree, acceptance, consent, approval | reject, refuse, decline, disagree, rejection, deny, disapprove
        agree, support, favor, favour, pro, in favor of, in favour of, argument for, arguments for, for | disagree, oppose, against, anti, arguments against, argument against
        attack, offense, offence, offensive, invade | defend, defense, defence, defensive, protect
        cause, causes, trigger | cure, prevent, treat, treatment, prevention, remedy, effect, effects, consequence
        cause, causes, trigger, triggers, induce, worsen, aggravate | relieve, relieves, ease, soothe, fight, fights, calm
        difficult | impossible
        cause, reason | effect, consequence, result, outcome, impact
        symptom, recognise, recognize | treatment, treat, cure, remedy | cause, caused by
        supply | demand
        profit, revenue, income, earnings, gain | loss, expense, cost, spending, deficit
        asset, assets | liability, liabilities
        credit | debit
        deposit, pay in | withdraw, withdrawal
        save, saving | spend, spending, waste
        input | output
        client, customer | server
        teacher, instructor, professor, tutor | student, pupil, learner
        employer, boss, manager | employee, subordinate, worker
        doctor, physician | patient
        past, history, historical, previous | future, upcoming, next
        day, daytime | night, nighttime
        sunrise, dawn | sunset, dusk
        morning | evening, night
        north, northern | south, southern
        east, eastern | west, western
        war, conflict | peace
        life, alive, live, birth, born, living | death, dead, die, died, dying, killed
        begin, origin, source | destination, target
        theory, theoretical | practice, practical
        theist, religious | atheist, secular
        horizontal, horizontally, landscape | vertical, vertically, portrait
        row, rows | column, columns
        parallel, concurrent | sequential, serial
        synchronous, sync | asynchronous, async
        static | dynamic
        manual, manually, by hand | automatic, automatically, automated
        virtual, online, remote, remotely | physical, offline, in person, on site, onsite, local
        local, locally, domestic | global, remote, international, foreign, globally
        domestic, national | international, foreign
        rural, countryside, village | urban, city
        introvert, introverted | extrovert, extroverted
        major | minor
        majority | minority
        same, similar, similarity, similarities, in common, alike | different, difference, differences, differ, opposite
        temporary, temporarily | permanent, permanently
        single, unmarried | married
        marry, wedding, engagement | divorce, separate
        present, presence, attend | absent, absence, miss
        forget, forgot, unlearn | remember, remind, recall, memorize
        wet, moist, humid | dry, arid
        dry, drying | wet, rinse, moisten
        clean, tidy | dirty, messy
        full | empty
        sharp | blunt, dull
        bright, lighten, light mode, brighter, brighten | dark, darken, dark mode, dim, darker
        black | white
        sweet | sour, bitter, savory, salty
        raw, uncooked | cooked
        solid | liquid, gas
        acid, acidic | base, alkaline, basic
        smooth | rough
        loose, loosen, relax | tight, tighten, tense
        loud, louder, noisy | quiet, quieter, silent
        guilty | innocent
        lose weight, slim down, weight loss, fat loss, burn fat | gain weight, put on weight, weight gain, bulk up
        win, profit | lose, loss
        sleep, fall asleep, asleep, go to bed | wake, wake up, awake, stay awake, get up
        attract | repel
        mention, mentions, discuss | omit, leave out, ignore, ignores | praise, compliment, extol, recommend | criticize, criticise, condemn, complain
        avoid, stay away from, bad for, harmful for, clash with | good for, fine with, suitable for, recommended for, go with, go well with, match, safe for
        encourage, motivate | discourage, demotivate
        trust | distrust, mistrust
        rare, uncommon, unusual | common, usual, frequent
        always, often | never, rarely
        all, everyone, everybody, everything | none, nobody, nothing
        with, containing, including | without, lacking, excluding, free
        current, currently, present, incumbent, sitting | former, previous, ex, formerly
        mild, gentle, soft | severe, harsh, intense
        gain, earn | lose, forfeit
        asleep | awake
        widow, wife | widower, husband
        predator | prey
        plaintiff | defendant
        export, exporter, exports | import, importer, imports
        uphill | downhill
        clockwise | counterclockwise, anticlockwise, anti clockwise
        inhale, breathe in | exhale, breathe out
        tighten, fasten, buckle | loosen, unfasten, unbuckle
        inflate, pump up | deflate
        freeze, frozen | thaw, unfreeze, defrost
        fertile | barren, infertile
        soluble | insoluble
        sober | drunk
        deepen | flatten
        stretch | compress, squeeze
        unite, marry | split up, break up
        cheer up | sadden, upset
        flood, flooding | drought
        prologue, introduction, intro | epilogue, conclusion, outro
        landlord, landlady | tenant, renter
        lender, creditor | borrower, debtor
        shrink | stretch
        insult | compliment
        reward, rewards | punish, punishment, penalty
        strengths | weaknesses
        sow, plant, planting | harvest, reap, harvesting
        lift, raise | lower
        dock | undock
        pin | unpin
        star | unstar
        stage | unstage
        commit | revert, roll back
        indent | outdent, unindent
        bind | unbind
        mute | unmute
        highlight | unhighlight
        minimise, minimize | maximise, maximize, restore
        deploy | undeploy, roll back
        archive | unarchive, restore
        block | unblock
        tag | untag
        check, tick | uncheck, untick, unselect, deselect
        select, choose | deselect, unselect
        overweight | underweight
        overestimate | underestimate
        overdose | underdose
        upstream | downstream
        uplink | downlink
        upload, uploading | download, downloading
        westbound | eastbound
        northbound | southbound
        prefix | suffix
        numerator | denominator
        convex | concave
        transparent | opaque
        flexible | rigid, stiff
        stale | fresh
        ripe | unripe
        tame, domesticated | wild, feral
        brave, courageous | cowardly, timid
        generous | stingy, selfish
        humble, modest | arrogant, proud
        lazy | diligent, hardworking
        calm | anxious, nervous
        tropical | polar, arctic
        diurnal | nocturnal
        herbivore, herbivores | carnivore, carnivores
        mammal | reptile
        benign | malignant
        chronic | acute
        innate | acquired
        dominant | recessive
        aerobic | anaerobic
        renewable | nonrenewable, non renewable
        tangible | intangible
        fixed rate | variable rate, adjustable rate
        gross | net
        wholesale | retail
        surplus | shortage, deficit
        monopoly | competition
        literal | figurative, metaphorical
        fiction | non fiction, nonfiction
        concrete | abstract
        optional | required, mandatory
        original | copy, fake, counterfeit, replica
        natural, organic | artificial, synthetic
        vegetarian, vegan, plant based | meat, non vegetarian
        fruit | vegetable
        mandatory, required, compulsory, obligatory | optional, voluntary
        active, activated | inactive, passive, dormant
        simple, simplify, basic | complex, complicated, complicate, advanced
        beginner, novice, newcomer, entry level, basic, new to | expert, advanced, professional, experienced, specialist
        ancestor, predecessor | descendant, successor
        freeze, solidify | melt, thaw, defrost
        evaporate, boil | condense
        export tax, ban | import tax
        debug build | release build
        upgrade, update | downgrade, roll back, rollback
        merge, combine, unite, concatenate, join | split, separate, divide, partition
        zoom in, enlarge | zoom out
        push | pull
        throw | catch
        arrive | leave, depart
        remember | forget
        innocent | guilty
        hire | fire
        deflation | inflation
        bull market, bullish | bear market, bearish
        debt, owe | savings
        offense | defense
        immigration, immigrate, immigrant | emigration, emigrate, emigrant
        """

    static let chinese = """
        增加, 提高, 提升, 升高, 增长, 增大, 上升, 上涨, 上调, 增强, 加大, 调高, 扩大, 涨, 变大, 增多, 增肥, 升 | 减少, 降低, 下降, 缩小, 减小, 下跌, 下调, 削弱, 减弱, 调低, 跌, 变小, 减轻, 降
        最大, 最高, 最多, 至多, 上限, 最长, 最大值 | 最小, 最低, 最少, 至少, 下限, 最短, 最小值
        大于, 超过, 高于, 多于, 以上 | 小于, 低于, 少于, 不足, 不到, 以下
        优点, 优势, 好处, 长处, 益处, 利, 优, 积极影响 | 缺点, 劣势, 坏处, 短处, 弊端, 不足, 害处, 弊, 风险, 危害, 消极影响, 隐患
        打开, 开启, 启用, 开, 启动, 开机, 激活, 开通, 接通 | 关闭, 关掉, 停用, 关, 禁用, 关机, 注销, 取消, 断开, 关上
        开始, 启动, 起, 开头, 开端 | 结束, 停止, 终止, 完成, 暂停, 结尾, 终
        添加, 加入, 增加, 插入, 新增, 加, 包含, 包括 | 删除, 移除, 去掉, 去除, 删, 减, 清除, 删掉, 排除, 剔除
        安装, 装 | 卸载, 拆
        创建, 建立, 新建, 成立, 组建 | 删除, 销毁, 摧毁, 解散, 拆除
        连接, 绑定, 接入, 关联, 加入 | 断开, 解绑, 解除, 退出, 分离, 脱离
        登录, 登陆, 登入, 签到 | 退出, 登出, 注销, 签退
        注册, 开户, 报名 | 注销, 销户, 退订, 退出
        订阅, 关注, 订购 | 退订, 取消订阅, 取关, 取消关注
        上传 | 下载
        上车, 上班, 上学, 上课, 上线, 上架 | 下车, 下班, 放学, 下课, 下线, 下架
        上, 上面, 上方, 上游, 上半年, 上册, 上午, 上联 | 下, 下面, 下方, 下游, 下半年, 下册, 下午, 下联
        左, 左边, 左侧, 左手, 左脚 | 右, 右边, 右侧, 右手, 右脚
        前, 前面, 之前, 以前, 前者, 事前, 饭前, 前半, 术前, 睡前, 婚前 | 后, 后面, 之后, 以后, 后者, 事后, 饭后, 后半, 术后, 睡后, 婚后
        里, 内, 里面, 室内, 内部, 内侧, 国内, 境内 | 外, 外面, 室外, 外部, 外侧, 国外, 境外, 海外
        进, 进入, 进口, 入, 入口, 流入, 收入, 存入 | 出, 离开, 出口, 流出, 支出, 取出
        买, 购买, 买入, 购入, 采购, 买家, 买方, 购 | 卖, 出售, 卖出, 销售, 卖家, 卖方, 售, 转让
        借入, 借款, 贷款 | 还款, 还贷, 借出
        存, 存款, 存钱 | 取, 取款, 取钱
        送, 发送, 发出, 寄, 付款 | 收, 接收, 收到, 接受, 收款
        发, 发送 | 收, 接收
        租出, 出租, 房东 | 租入, 求租, 承租, 租客, 租房
        赢, 胜, 胜利, 成功, 获胜, 通过, 盈利 | 输, 败, 失败, 落败, 亏损, 未通过
        喜欢, 爱, 喜爱, 热爱 | 讨厌, 恨, 厌恶, 不喜欢
        好, 优秀, 良好, 有益, 有利 | 坏, 差, 糟糕, 有害, 不好, 恶劣, 不利, 烂
        最好, 最佳, 最优 | 最差, 最坏, 最糟
        改善, 改进, 好转, 优化 | 恶化, 加重, 变差
        热, 加热, 升温, 暖, 炎热, 热水, 夏, 发热 | 冷, 冷却, 降温, 凉, 寒冷, 冷水, 冬
        快, 加快, 加速, 迅速, 快速, 提速, 最快 | 慢, 减慢, 减速, 缓慢, 降速, 最慢
        高, 较高, 高级, 高血压, 高血糖, 高档, 偏高, 高中 | 低, 较低, 低级, 低血压, 低血糖, 低档, 偏低, 矮, 初中
        大, 较大, 大型, 变大, 放大 | 小, 较小, 小型, 变小, 缩小
        长, 延长, 加长, 长期, 较长 | 短, 缩短, 短期, 较短
        宽, 加宽 | 窄, 变窄
        厚, 加厚 | 薄, 变薄
        深, 加深, 深色, 深度 | 浅, 变浅, 浅色
        重, 加重, 较重 | 轻, 减轻, 较轻
        强, 增强, 强化, 强壮, 强项 | 弱, 减弱, 弱化, 虚弱, 弱项
        难, 困难, 复杂, 艰难 | 易, 容易, 简单, 轻松
        胖, 增重, 增肥, 长胖, 变胖 | 瘦, 减重, 减肥, 变瘦, 瘦身
        富, 富有, 富裕, 有钱 | 穷, 贫穷, 贫困, 没钱
        便宜, 廉价, 低价, 实惠 | 贵, 昂贵, 高价, 奢侈
        免费 | 收费, 付费
        安全 | 危险, 不安全
        合法 | 非法, 违法, 不合法, 犯法
        允许, 准许, 可以, 批准, 准 | 禁止, 不允许, 不准, 不许, 不可以, 严禁, 拒绝
        对, 正确, 真 | 错, 错误, 假, 不对
        真, 真实, 正品 | 假, 虚假, 伪, 仿品
        可能 | 不可能
        高兴, 快乐, 开心, 乐观, 幸福 | 悲伤, 难过, 伤心, 悲观, 不幸
        正式, 官方 | 非正式, 口语, 非官方, 随意, 口语化
        公开, 公有, 公共, 公立, 国企, 国有, 公办 | 私有, 私人, 保密, 私立, 民企, 私密, 民办
        男, 男人, 男性, 男生, 男孩, 父亲, 爸爸, 儿子, 丈夫, 老公, 哥哥, 弟弟, 爷爷, 公 | 女, 女人, 女性, 女生, 女孩, 母亲, 妈妈, 女儿, 妻子, 老婆, 姐姐, 妹妹, 奶奶, 母
        父母, 家长 | 孩子, 子女, 小孩
        大人, 成人, 成年人, 老人, 成年 | 小孩, 儿童, 孩子, 婴儿, 未成年, 未成年人
        老, 旧, 老年, 古代, 古 | 新, 年轻, 少, 现代, 青年, 今
        早, 早上, 提前, 提早, 早晨 | 晚, 晚上, 推迟, 延迟, 延后
        白天, 日出, 昼 | 夜晚, 日落, 夜, 晚上, 夜里
        先 | 后
        首, 第一个, 最早, 最先, 首班, 首个 | 末, 最后一个, 最晚, 最后, 末班, 最新
        升序, 从小到大, 正序, 递增 | 降序, 从大到小, 倒序, 递减, 逆序
        奇数, 单数 | 偶数, 双数
        正数, 正面, 正, 正极, 阳性, 积极 | 负数, 负面, 负, 负极, 阴性, 消极, 反面
        加, 加法, 加上, 相加 | 减, 减法, 减去, 相减
        乘, 乘法, 乘以, 相乘 | 除, 除法, 除以, 相除
        加密, 编码 | 解密, 解码
        压缩, 打包 | 解压, 解压缩, 解包
        上锁, 锁定, 锁, 冻结 | 解锁, 开锁, 解冻
        显示, 展开, 展示, 可见 | 隐藏, 收起, 折叠, 不可见
        充电, 充值, 充 | 放电, 提现, 退款, 提取
        招聘, 雇用, 录用, 入职, 聘用 | 解雇, 辞退, 裁员, 离职, 开除
        升职, 升级, 晋升 | 降职, 降级, 贬职
        同意, 接受, 赞成, 支持, 赞同 | 反对, 拒绝, 不同意, 不支持, 抵制
        进攻, 攻击, 攻 | 防守, 防御, 守
        原因, 成因, 起因 | 后果, 结果, 影响, 治疗
        症状, 表现 | 治疗, 疗法
        供给, 供应 | 需求
        利润, 收益, 收入, 盈利, 赚 | 亏损, 亏, 损失, 支出, 成本, 赔
        资产 | 负债
        借方 | 贷方
        输入 | 输出
        客户端 | 服务器, 服务端
        老师, 教师, 教 | 学生, 学
        老板, 雇主, 上司 | 员工, 雇员, 下属
        医生 | 病人, 患者
        过去, 历史, 以往, 上一个, 上个, 昨 | 未来, 将来, 下一个, 下个, 明
        生, 出生, 活, 诞生, 生前 | 死, 死亡, 逝世, 去世, 死后
        战争 | 和平
        理论 | 实践
        横, 横向, 水平, 横屏 | 竖, 纵向, 垂直, 竖屏
        行 | 列
        同步 | 异步
        静态 | 动态
        手动, 人工 | 自动, 机器
        线上, 网上, 远程, 在线, 虚拟 | 线下, 现场, 离线, 实体
        国内, 本地, 本国 | 国际, 国外, 外地, 外国
        城市, 城镇 | 农村, 乡村
        内向 | 外向
        相同, 相似, 共同点, 相同点, 一样 | 不同, 区别, 差异, 不同点, 差别
        临时, 暂时 | 永久, 长期
        单身, 未婚 | 已婚
        结婚 | 离婚
        记住, 记得 | 忘记, 忘
        干, 干燥, 晾干 | 湿, 潮湿, 打湿
        干净 | 脏
        满 | 空
        亮, 变亮, 浅色模式, 白天模式 | 暗, 变暗, 深色模式, 夜间模式
        黑 | 白
        甜 | 苦, 酸, 咸, 辣
        生吃, 生的 | 熟吃, 熟的
        酸性 | 碱性
        紧, 收紧, 拧紧 | 松, 放松, 松开
        入睡, 睡觉, 睡着, 睡眠 | 起床, 醒, 清醒, 失眠
        表扬, 赞美, 夸, 称赞, 好评 | 批评, 指责, 骂, 差评 | 提到, 提及
        罕见, 少见 | 常见
        含, 含有, 有, 带, 带有 | 不含, 无, 不带, 没有
        天然 | 人工, 人造, 合成
        素食, 素 | 荤, 肉
        必须, 必需, 强制 | 可选, 自愿, 不必
        主动 | 被动
        简化, 入门, 初级, 新手 | 复杂化, 进阶, 高级, 专家
        合并, 合成, 合 | 拆分, 分割, 分开, 分
        推 | 拉
        融化, 熔化 | 凝固, 结冰
        通货膨胀 | 通货紧缩
        牛市 | 熊市
        东, 东部, 东边 | 西, 西部, 西边
        南, 南方, 南部 | 北, 北方, 北部
        阳, 阳历, 公历 | 阴, 阴历, 农历
        适合, 宜, 适宜 | 不适合, 忌, 不宜
        饿 | 饱
        真话 | 谎话
        去, 出发, 去程 | 回, 返回, 到达, 回程
        褒义 | 贬义
        现任, 现在的, 当前 | 前任, 上一任, 以前的
        吸气, 吸入 | 呼气, 呼出
        顺时针 | 逆时针
        急性 | 慢性
        良性 | 恶性
        顺产 | 剖腹产, 剖宫产
        公历 | 农历
        批发 | 零售
        毛利, 税前 | 净利, 税后
        发货 | 退货, 收货
        开头 | 结尾
        涨价 | 降价
        加班 | 请假, 调休
        晴天 | 雨天
        洪水, 涝 | 干旱, 旱
        奖励 | 惩罚, 处罚
        谦虚 | 骄傲
        勤奋 | 懒惰
        勇敢 | 胆小
        大方 | 小气
        诚实 | 虚伪
        聪明 | 愚蠢
        拉黑, 屏蔽 | 取消拉黑, 解除屏蔽
        置顶 | 取消置顶
        收藏 | 取消收藏
        勾选 | 取消勾选
        静音 | 取消静音
        点赞 | 取消点赞, 点踩
        全屏 | 退出全屏
        前缀 | 后缀
        分子 | 分母
        透明 | 不透明
        新鲜 | 变质, 过期
        熟悉 | 陌生
        播种, 种植 | 收割, 收获
        上坡 | 下坡
        顺风 | 逆风
        涨潮 | 退潮, 落潮
        入境 | 出境
        升空 | 降落
        起飞 | 降落, 着陆
        上升期 | 下降期
        旺季 | 淡季
        盈余 | 赤字
        主观 | 客观
        抽象 | 具体
        直接 | 间接
        显性 | 隐性
        有氧 | 无氧
        室内 | 室外
        批准 | 驳回
        胜诉 | 败诉
        原告 | 被告
        债权人 | 债务人
        甲方 | 乙方
        """
}
