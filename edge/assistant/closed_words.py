"""The closed word classes of English and German: words that a language gets no new ones of, folded.

Articles, pronouns, prepositions, conjunctions, auxiliaries, particles. They change nothing of what
is asked. Those that do stand in NARROWING: a question with one of them is never answered as if
it weren't there.
"""

ENGLISH = frozenset(
    """a an the this that these those such i me my mine we us our ours you your yours he him his she
    her it its they them their theirs one ones myself ourselves yourself itself themselves who's
    s far actually often anyone anybody somebody someone everybody everyone anything something everything all any each
    every some enough what which whatever whichever how when whenever whether as if because since
    while and or so then than though although about across after along amid among around at before
    behind beneath beside besides between beyond by concerning down during for from in including
    inside into like of off on onto out over past per regarding respecting through throughout till
    to toward towards under until up upon versus via with within be am is are was were been being
    isn't have has had having do does did done doing can could may might shall let let's get gets
    got gotten getting go goes going went gone need needs needed want wants wanted would'd ever
    already also altogether anyhow anyway anywhere basically currently even eventually exactly
    finally further generally here hence however indeed instead just likewise maybe merely moreover
    namely now nowadays o'clock once only onwards onward otherwise overall perhaps possibly precisely pretty
    probably quite quickly rather really roughly simply so-called somehow still straight
    there therefore thereof these thus together too totally truly very well yet approximately
    please pls plz kindly thanks thank thx cheers ta sorry pardon excuse hello hi hey hiya ok okay
    yes yeah yep yo oh ah um uh er hmm well alas dear folks mate guys team everyone sir madam
    i'm i'd i've i'll we're we'd we've we'll you're you'd it's that's what's there's how's who's
    when's where's here's today's asap fyi btw i.e. e.g. etc re regards""".split()  # noqa: SIM905
)
GERMAN = frozenset(
    """der die das den dem des ein eine einen einem einer eines dies diese diesen diesem dieser dieses
    denen deren dessen jene jenen jener jenes derselbe dieselbe dasselbe ich mich mir mein meine meinen meinem meiner
    meines wir uns unser unsere unseren unserem unserer unseres du dich dir dein deine deinen deinem
    deiner ihr euch euer eure euren eurer sie ihnen er ihm ihn es sich man jemand jeder jede jedes
    jeden jedem alle allen aller alles allem irgendwelche irgendein irgendeine irgendeinen irgendwas
    irgendwie etwas was welche welcher welches welchen welchem wie wann ob dass wenn weil da damit
    und oder sowie bzw beziehungsweise also denn sodass indem waehrend bevor nachdem als so ab an am
    ans auf aufs aus bei beim bis durch durchs fuer fuers gegen hinter hinterm im in ins hinsichtlich
    bezueglich betreffend betreffs mit mitsamt samt mittels nach seit trotz ueber uebers um unter
    unterm vom von vor vorm wegen aufgrund infolge zu zum zur zwischen innerhalb inklusive
    einschliesslich laut gemaess pro je bin bist ist sind seid war waren wart gewesen sein sei waere
    habe hab hast hat haben habt hatte hatten gehabt werde wirst wird werden werdet wurde wurden
    worden geworden kann kannst koennen koennt konnte konnten gekonnt duerfen darf darfst durfte mag
    moegen lassen lass laesst liess liessen gelassen will wollen bitte bitteschoen danke dankeschoen
    merci mal 'mal ja jo doch eben halt eigentlich denn nun nur noch schon bereits bisher bislang
    gerade grad grade gern gerne auch ebenfalls dabei dafuer dagegen daher dann daran darauf daraus
    darin darueber darum darunter davon davor dazu derzeit derweil dort drin einfach einmal zuvor herum drum rum drauf rauf rueber runter genau
    genauer genaue genauen gesamt gleich her heraus hier hierbei hierzu hin hinaus immerhin
    inzwischen insgesamt jedenfalls jetzt jemals kurz lediglich letztlich los mittlerweile momentan
    naemlich nochmal nunmehr oft raus rein ruhig schliesslich schnell sofort soeben sogar somit
    sonst soviel stets tatsaechlich ueberhaupt uebrigens ungefaehr rund circa ca vielleicht
    wahrscheinlich wirklich wohl zirka ziemlich zunaechst zusammen zwar aktuell musste mussten gib sieh lies nimm moechte moechten moechtest wollte wollten braeuchte braeuchten benoetige koennte koennten koenntest koenntet wuesste anschliessend allesamt genauso hindurch jeweils etwa guck guckt weg vorbei statt
    hallo hi hey moin moinmoin servus tach hoi gruezi na naja aeh aehm hm ach oh sorry
    entschuldigung entschuldige pardon mahlzeit zusammen dringend
    eilt danke bspw zb usw gab's gibt's war's ist's lief's sieht's geht's steht's wie's hat's
    haben's wars gibts gabs liefs gehts siehts wieviel wieviele""".split()  # noqa: SIM905
)
CLOSED = ENGLISH | GERMAN
NARROWING = frozenset(
    """no not never none nobody nothing neither nor without except excepting excluding exclusive
    excluded minus apart aside unless other others another else different same similar both
    exclude omit ignore disregard subtract skip almost nearly hardly barely scarcely partly partially mostly mainly largely again twice
    thrice anew repeatedly first second third initial initially average mean median typical maximum
    minimum max min least above below exceeding beyond should would ought must will
    won't can't cannot couldn't don't doesn't didn't isn't aren't wasn't weren't hasn't haven't
    hadn't nicht nie niemals niemand nichts kein keine keinen keinem keiner keines ohne ausser
    ausgenommen ausschliesslich abzueglich ausgeschlossen ausschliessen weglassen abziehen ignoriere ignorieren abgesehen weder sondern andere anderen
    anderer anderes anderem anders verschiedene verschiedenen unterschiedliche dieselben gleiche
    gleichen beide beiden sowohl fast beinahe nahezu kaum teilweise grossteils wieder wiederum
    erneut abermals nochmals zweimal dreimal mehrfach mehrmals erste ersten erster erstes zweite
    zweiten durchschnitt durchschnittlich mittel mittlere hoechstens mindestens maximal minimal
    oberhalb unterhalb soll sollte sollten sollen haette haetten muss muessen wuerde wuerden
    waere waeren zugleich gleichzeitig""".split()  # noqa: SIM905
)
