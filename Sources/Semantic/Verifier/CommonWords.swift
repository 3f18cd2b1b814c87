/// Words that tell little.
///
/// The order of the common English words is that of the vocabulary of bert-base-uncased (Apache-2.0), which is sorted by
/// frequency; the other lists were written for this purpose.
enum CommonWords {
    static let english = """
        the of and in to was he is as for on with that it his by at from her she you had an were but be this are not \
        my they one which or have him me first all also their has up who out been when after there into new two its \
        time would no what about said we over then other so more can if like back them only some could where just \
        during before do made school through than now years most world may between down well three year while will \
        later city under around did such being used state people part know against your many second university both \
        national these don known off way until re how even get head didn team american because de born united film \
        since still long work south us became any high again day family see right man eyes house season war states \
        including took life north same each called name much place however go four group another found won area here \
        going away series left home music best make hand number company several never last john very album take end \
        good too following released game played little began district old want those side held own early county ll \
        league use west face think government march came small general town june line based something september \
        thought looked along international air july club went january october our august april york few east show \
        member college father public come men five set station church next former november room party located \
        december age got system let love though every look song water century without body black night within great \
        women single ve building large population river named band white started once should service top built \
        british open death king moved local times children february book why door need president order final road \
        wasn although due major died village third knew asked turned st wanted say together received main son served \
        different behind himself felt members power football law voice play near park history having saw mother army \
        point front help english street art late hands games award young put published country division across told \
        often ever french london center six red led days include light find tell among species really according \
        central half form original gave office making enough lost full opened must included live given german player \
        run business woman community cup might million land court development short round ii km seen class story \
        always become sure research almost director council la career things using island couldn car close force \
        better free support control field students education married nothing worked others record big inside level \
        anything continued give james military established non returned feel does title written thing feet william \
        far co association hard already championship human western department hall role various production heart \
        living fire version television royal produced working act case society region present radio period looking \
        least total keep england wife program per brother mind special am works soon political george services taken \
        created further able reached david union joined upon done important social information either appeared \
        position ground lead rock dark election board france hair course arms site police girl instead real sound \
        words moment someone summer project announced san less wrote past followed blue founded al finally india \
        taking records america design considered northern god stop battle toward european outside described track \
        today playing language call heard professional low australia miles california win yet green trying blood \
        southern science maybe everything match square mouth video race recorded leave above daughter points space \
        museum change middle common move tv post lake seven tried elected closed ten paul minister months start \
        chief return canada person sea release similar modern brought rest hit formed mr floor event doing thomas \
        robert care killed training star week needed turn finished railway rather news health sent example ran term \
        michael coming currently yes forces despite gold areas stage fact dead says popular originally germany \
        probably developed result pulled friend stood money running mi signed word songs child eventually met tour \
        average teams minutes festival current deep kind decided usually eastern seemed episode bed added table \
        indian private charles route available idea throughout centre addition appointed style books eight \
        construction press mean wall friends remained schools study institute oh chinese sometimes events possible \
        australian type brown forward talk process food debut seat performance committee features character arts \
        herself else lot strong russian range hours peter arm morning dr sold quickly directed guitar china list \
        performed media uk players smile myself placed coach province towards wouldn leading whole boy official \
        designed grand census europe attack japanese henry cross getting alone action lower network wide washington \
        japan hospital believe changed sister hold gone sir hadn ship studies academy shot rights below base bad \
        involved kept largest bank future especially beginning mark movement section female magazine plan professor \
        lord longer sat walked hill actually civil energy model families size thus aircraft completed includes data \
        captain fight vocals featured richard bridge fourth officer stone hear means medical groups management self \
        lips competition entire lived technology leaving federal tournament bit passed hot independent awards \
        kingdom mary spent fine doesn reported jack fall raised itself stay true studio sports replaced paris \
        systems saint leader theatre whose market capital parents spanish canadian earth cut degree writing bay \
        christian awarded natural higher bill coast provided previous senior ft valley organization stopped onto \
        countries parts conference queen security interest saying allowed master earlier phone matter smith winning \
        try happened moving campaign los breath nearly mid certain girls date italian african standing fell artist \
        shows deal mine industry everyone republic provide collection library student primary owned older via heavy \
        makes attention anyone africa stated length ended fingers command staff skin foreign opening governor okay \
        medal kill sun cover job introduced chest hell feeling success meet reason standard meeting novel trade \
        source buildings rose guy goal chapter native husband previously unit limited entered weeks producer \
        operations mountain takes covered forced related roman complete successful key texas cold channel \
        traditional films dance clear approximately nine van prince question active tracks ireland regional silver \
        author personal sense operation economic holding twenty isbn additional speed hour edition regular historic \
        places whom shook movie secretary prior report chicago read foundation view engine scored units ask airport \
        property ready immediately lady month listed contract manager themselves lines navy writer meant runs \
        practice championships singer glass commission required forest starting culture generally giving access \
        attended test couple stand catholic martin caught executive eye thinking chair quite shoulder hope decision \
        plays defeated municipality whether structure offered slowly pain ice direction paper mission mostly noted \
        individual managed nature lives plant helped except studied computer figure relationship issue significant \
        loss die smiled gun ago highest male bring goals mexico problem distance commercial completely location \
        annual famous drive neck surface caused italy understand greek highway wrong hotel comes appearance joseph \
        double issues musical companies castle income review assembly bass initially parliament artists experience \
        particular walk foot engineering talking window dropped miss baby boys break stars edge remember policy \
        carried train stadium bar sex angeles evidence becoming assistant soviet upper step wing youth financial \
        reach actor numerous nodded arrived minute believed sorry complex beautiful victory associated temple chance \
        perhaps metal bishop lee launched particularly tree le retired subject prize contains yeah theory empire \
        suddenly waiting trust recording happy terms camp champion religious pass zealand names port ancient tom \
        corner represented watch legal anti justice cause watched brothers material changes simply response louis \
        fast answer historical stories straight create feature increased rate administration virginia el activities \
        cultural overall winner programs basketball legs guard beyond cast doctor mm flight results remains cost \
        effect winter larger islands problems chairman grew commander isn pay failed selected hurt fort box regiment \
        majority journal edward plans shown pretty irish characters directly scene likely operated allow spring \
        junior matches looks mike houses fellow beach marriage rules oil florida expected nearby congress sam peace \
        recent iii wait subsequently cell variety serving agreed please poor joe pacific attempt wood democratic \
        piece prime rural mile touch appears township soldiers pennsylvania closer fighting claimed score jones \
        physical editor filled genus specific sitting super mom therefore supported status fear cases store meaning \
        wales minor spain tower focus vice frank follow parish separate golden horse fifth remaining branch \
        presented stared uses secret forms baseball exactly choice note discovered travel composed truth russia ball \
        color kiss dad wind continue ring referred numbers digital greater metres slightly direct increase \
        responsible crew rule trees troops broke goes individuals hundred weight creek sleep memory defense provides \
        ordered code value jewish windows safe judge whatever corps realized growing pre cities alexander gaze lies \
        spread scott letter showed situation mayor transport watching workers extended expression normal chart \
        multiple border host daily mrs walls piano heat cannot earned products drama era authority seasons join \
        grade sign difficult machine territory mainly stations squadron stepped iron serve appear sky speak broken \
        charge knowledge kilometres removed ships article campus simple pushed britain leaves recently cd soft \
        boston latter easy acquired
        """

    static let englishFillers = """
        a an the of in to is are was were be been being am do does did done has have had having will would shall \
        should can could may might must i me my mine we us our you your he him his she her it its they them their \
        this that these those there here at by on for with from as and but if then than so such into about also just \
        only very really too please kindly hi hello hey dear thanks thank advance help need want like tell give show \
        let know get got some any s t m re ve ll d ok okay way ways possible able
        """

    static let chineseFillers = """
        的 了 吗 呢 啊 呀 吧 嘛 哦 呐 哈 是 有 请 请问 你好 您好 谢谢 谢了 帮我 帮忙 \
        告诉我 告诉 给我 我 你 您 我们 你们 大家 想 我想 要 我要 想要 想问 想知道 知道 可以 \
        可 能 能够 会 一下 下 就 都 也 还 在 里 用 把 将 对 于 和 与 及 以及 并 这 \
        这个 那 那个 个 些 一些 一个 种 求 求助 求解 么 说说 讲讲 介绍 列出 列举 说 写 出 \
        来 去 到 从 给 让 被 很 太 最 比较 到底 究竟 应该 需要 关于 的话 时候 时 急 啦 \
        咯 嗯 之 其 它 他 她 所 以 而 地 得 着 过
        """

    /// What is said for politeness or to draw attention, and never changes the answer; parted by bars.
    static let courtesies = """
        hi|hello|hey|hi there|hello there|dear|good morning|good afternoon|good evening|greetings|please|pls|plz|\
        please help|please help me|kindly|thanks|thank you|thank you very much|thank you so much|many thanks|\
        thanks a lot|thx|cheers|thanks in advance|thank you in advance|much appreciated|appreciate it|\
        any help is welcome|any help is appreciated|quick question|i have a question|sorry to bother you|excuse me|\
        if possible|just curious|i was wondering|你好|您好|请问|请问一下|谢谢|谢谢了|谢谢你|谢谢您|谢了|多谢|感谢|\
        非常感谢|万分感谢|请|麻烦|麻烦您|麻烦你|劳驾|拜托|拜托了|求助|求解|求教|在线等|急|不好意思|打扰了|打扰一下|\
        各位|大家好|啊|呀|呢|吗|吧|哦
        """

    static let questions: [(QuestionClass, String)] = [
        (.how, "how 怎么 怎样 怎么样 如何 咋 咋样 怎么办 咋办 办法 方法 步骤 怎 办"),
        (.why, "why reason reasons cause causes 为什么 为何 为啥 原因 干嘛 理由"),
        (.what, "what whats 什么 啥 是什么 是啥 什麽"),
        (.which, "which 哪 哪个 哪些 哪种 哪款 哪一个 那些"),
        (.when, "when 什么时候 何时 几点 几时 啥时候 什么时间"),
        (.place, "where 哪里 哪儿 哪有 什么地方 在哪 在哪里 何处"),
        (.person, "who whom whose 谁 哪位 什么人"),
        (.amount, "many much 多少 几 多久 多大 多长 多高 多远"),
    ]
}
