/// Words that are right though they look like misspelled common ones.
///
/// Those of the word list "wamerican" (SCOWL, Kevin Atkinson), names included, that are not in the vocabulary of
/// bert-base-uncased and from which a swap of neighbouring letters, or a letter written once instead of twice, leads to a
/// word that is; and a few that no list has.
enum RightWords {
    static let all: Set<Substring> = Set(list.split(separator: " "))

    private static let list = """
        addams addressees adventuress albino alden alder aline alines alisa appal arced arcing aries asses attar \
        balded barer barrack basses bassi bated bating batista becket bellow benefitted betas biassed biding \
        blankest blats blots boast bogie braked briana bridgett brigs brine brittney brunt bryon bugle bugling \
        busses cancelation caned canes caning canvass caped capella carbs caries carols carrousel carton cartons \
        casandra cassino cassinos castor cation cations cator causally chanel chartres chilli claps closets clots \
        codded codding coeds coked coking coleen commandeer commandeers coolors cooping copping corespondent corine \
        corral councilor councilors counsellor cravings crema crepe crooner cures curie curst cuter dairies daren \
        darin darrel debar derick desiree desserts devotee devotes dianna dianne diners dinning discuses doted \
        dragoon droops elroy elvin employe employes enrol enrolment escapee escapees farmed feats fibber fibbers \
        fiend flied focussed focusses focussing framer framers franchisee franchisees friedmann froth fuelled fulfil \
        fulfilment fussed gabble gabbled gabbles garbs garret gasses gilding gitfs gracia grandee gravelly griped \
        griping guerilla guerillas halley harriett hatted hatting henna hersey hooped hooping horus hover indor \
        instal instalment isabela jamaal jarred jeffery jenifer jewell johnie kidnaped kidnaping kieth kirsten \
        labelling laddies latitudes levelled levis licensee licensees liens lilian liters loess loins looser looses \
        loosing loraine lorie louts louver lucile luster mable macros malory manilla mantel marat marisa marvell \
        matted mattes matting melisa melon metes meting micheal miens miler millimeters minks minuet minuets mitchel \
        monet monies montpelier mooney mores morison mortgagee mosses mousse mussed muter nanette nappier needless \
        neter newel niches nickle nidus nigger nisan niter nitro nooses nuder odors orche overdoes palin param \
        parolee parrish parsi parton pasty pickett pilled pined pining pixell planed planer planing platte plied \
        plies pluses poisson poled poling posses potions prated prating premisses priam pried privater programed \
        programer programers programing pyaton ragging ramada randal rapped rarest ratted ratting reefer reefers \
        refuelling refuges remodelled retiree retried reveres ridding riffle riffles ripely robbin robed robins \
        rolando rolland roost ruble ruder russel sabers salas salted salter salve salves salvia savana scoots scoped \
        scrapping sedna segre sharron shelia shinning shinny shrike signalled signer signers silts singed siting \
        slats slily sliver slopping snipper solider solis sombre spares sparred spilt spiting stael staled steeps \
        sties stollen stoops strat striping suing susana taping tarps terrence thees tiers tigger tilde tilled \
        timbre timbres titling tittle tittles toady torchh torus totalled totalling trialed trialing trios truing \
        tsars tuscon twined twits typhon unist untie untied venmo voila waled waring warps wiemar wigner wiled \
        wiling wining wolof worshiped writs wroth yeats
        """
}
