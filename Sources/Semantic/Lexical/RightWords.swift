/// Words that are right though they look like misspelled common ones.
///
/// Those of the word list "wamerican" (SCOWL, Kevin Atkinson) that are not in the vocabulary of bert-base-uncased and from
/// which a swap of neighbouring letters, or a letter written once instead of twice, leads to a word that is.
enum RightWords {
    static let all: Set<Substring> = Set(list.split(separator: " "))

    private static let list = """
        addressees adventuress albino alder aline alines appal arced arcing asses attar balded barer barrack basses \
        bassi bated bating bellow benefitted betas biassed biding blankest blats blots boast bogie braked brigs \
        brine brunt bugle bugling busses cancelation caned canes caning canvass caped carbs caries carols carrousel \
        carton cartons cassino cassinos castor cation cations causally chilli claps closets clots codded codding \
        coeds coked coking commandeer commandeers cooping copping corespondent corral councilor councilors \
        counsellor cravings crepe crooner cures curie curst cuter dairies debar desserts devotee devotes diners \
        dinning discuses doted dragoon droops employe employes enrol enrolment escapee escapees farmed feats fibber \
        fibbers fiend flied focussed focusses focussing framer framers franchisee franchisees froth fuelled fulfil \
        fulfilment fussed gabble gabbled gabbles garbs garret gasses gilding grandee gravelly griped griping \
        guerilla guerillas hatted hatting henna hooped hooping hover instal instalment jarred kidnaped kidnaping \
        labelling laddies latitudes levelled licensee licensees liens liters loins looser looses loosing louts \
        louver luster macros mantel matted mattes matting melon metes meting miens miler millimeters minks minuet \
        minuets monies mores mortgagee mosses mousse mussed muter nappier needless newel niches nickle nigger niter \
        nooses nuder odors overdoes parolee pasty pilled pined pining planed planing plied plies pluses poled poling \
        posses potions prated prating premisses pried privater programed programer programers programing ragging \
        rapped rarest ratted ratting reefer reefers refuelling refuges remodelled retiree retried reveres ridding \
        riffle riffles ripely robed robins roost ruble ruder sabers salted salter salve salves scoots scoped \
        scrapping shinning shinny shrike signalled signer signers silts singed siting slats slily sliver slopping \
        solider sombre spares sparred spilt spiting staled steeps sties stoops striping suing taping tarps thees \
        tiers tilde tilled timbre timbres titling tittle tittles toady torus totalled totalling trialed trialing \
        trios truing tsars twined twits untie untied waled warps wiled wiling wining worshiped writs wroth
        """
}
