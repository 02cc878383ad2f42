"""Open words that mean no more, in a question about parts, than that there are parts: folded.

RUNNING: verbs of judging and running: every part that the records count was judged and ran, so they
leave none out. SHOWING: verbs of turning up and telling, that leave none out of what is named beside
them (`scratches were reported`), but could of parts as such (`parts were reported`). THINGS: nouns.
Verbs of handling (`sold`, `reworked`, `sent`) and all else that could narrow must never get in here.
"""

from edge.assistant.closed_words import CLOSED
from edge.assistant.inflection import (
    english_noun,
    english_participles,
    english_verb,
    forms,
    german_adjective,
    german_noun,
    german_participles,
    german_verb,
)

_RUNNING = """arrive assess bring:brought calculate check class classify come:came compile
    compute conduct confirm control count cover cross cycle determine document:documented evaluate
    examine execute exist fall:fell:fallen figure grade handle happen have image inspect investigate
    judge land log logg look make:made manage manufacture observe occur occurr operate output perform
    photograph process produce rate reach record register run:ran:run scan scann screen see:saw:seen
    sit:sat stand:stood sum summ take:took:taken tally test total try verify view visit wait
    put:put travel:travelled transit traverse feed:fed flow stream whizz vet glance"""
_SHOWING = """achieve add affect afflict amount answer appear appraise arise:arose:arisen arrange ask assign attain attribute
    award bear:bore:borne become:became believe:believed book bother brand call capture catch:caught categorise
    categorize cause cater chalk clock collect concern consider contain crop cropp declare deem define depict
    detect diagnose discover display draw:drew:drawn emerge encounter enlighten ensue enter enumerate establish
    estimate evidence exhibit experience explain face fare feature fetch fill find:found flag flagg follow
    gather get give:gave:given guess hear:heard help hit:hit identify indicate inform interest involve issue jot
    know:known:knew label labell learn lie:lay:lain list listen mark materialise materialize mean:meant meet:met
    mention mind note notice obtain paste pick pinpoint plot plott pop popp prepare present print prove provide pull
    quote rack read:read recall receive reckon recognise recognize regard relate remember remind report represent
    result retrieve reveal rise:rose:risen rule say:said seem shape show:showed:shown specify spot spott stack state
    stem stemm stop stopp suffer summarise summarize suppose surface tabulate tag tagg talk tell:told think:thought
    trace transpire update want wind:wound wonder write:wrote:written yield
    accrue accumulate amass belong bug comprise conclude constitute contribute create creep:crept crunch decide dig:dug discern
    dog hamper harm haunt hover hurt:hurt incur infer introduce let:let linger mar name notch perceive persist plague possess
    predominate pronounce recap refer scrutinise scrutinize sense share sneak spawn spell strike:struck sustain term tick tot
    trigger trip tripp trouble uncover unearth worry"""
_LAUFEN = """an|fall:fiel:gefallen:faellt an|fahr:fuhr:gefahren auf|nehm:nahm:genommen:nimmt begutacht berechn bewert beurteil check
    durch|fuehr durch|geh:ging:gegangen durch|komm:kam:gekommen durch|lauf:lief:gelaufen:laeuft durchlauf:durchlief:durchlaufen:durchlaeuft
    ein|fahr:fuhr:gefahren:faehrt entsteh:entstand:entstanden erfass erledig ermittl ermittel erzeug fahr:fuhr:gefahren:faehrt fertig
    fotografier geh:ging:gegangen gescheh:geschah:geschehen:geschieht hab hereinkomm herstell her|stell inspizier
    kontrollier komm:kam:gekommen lauf:lief:gelaufen:laeuft mach pass passier produzier pruef registrier rein|komm:kam:gekommen schaff schau seh:sah:gesehen:sieht
    sichte test teste ueberpruef untersuch verarbeit verlauf:verlief:verlaufen:verlaeuft vorbei|komm:kam:gekommen vorbei|lauf:lief:gelaufen:laeuft vorbei|fahr:fuhr:gefahren
    zaehl zusammen|komm:kam:gekommen scann abtast protokollier dokumentier durch|schleus raus|komm:kam:gekommen heraus|komm:kam:gekommen
    rueber|lauf:lief:gelaufen:laeuft inspektier hinter|bring:brachte:gebracht durch|setz durch|jag ab|arbeit
    aus|bring:brachte:gebracht durch|fahr:fuhr:gefahren:faehrt durch|schieb:schob:geschoben ein|lauf:lief:gelaufen:laeuft schaff durch|zieh:zog:gezogen
    rueber|geh:ging:gegangen vorbei|zieh:zog:gezogen durch|check durch|pruef weg|arbeit"""
_ZEIGEN = """wart auf|fuehr durch|sag an|geb:gab:gegeben:gibt an|halt:hielt:gehalten:haelt an|seh:sah:gesehen:sieht an|zeig auf|fall:fiel:gefallen:faellt auf|lauf:lief:gelaufen:laeuft auf|list
    auf|tauch auf|tret:trat:getreten:tritt auf|weis:wies:gewiesen auf|zaehl auf|zeichn aus|fall:fiel:gefallen:faellt aus|geb:gab:gegeben:gibt
    aus|seh:sah:gesehen:sieht aus|weis:wies:gewiesen aus|wert befind:befand:befunden begegn bekomm:bekam:bekommen
    belauf:belief:belaufen:belaeuft bemerk benoetig bericht betrag:betrug:betragen:betraegt betreff:betraf:betroffen:betrifft bezeichn bezieh:bezog:bezogen
    bezifer bezifferung bild bleib:blieb:geblieben brauch bring:brachte:gebracht detektier durch|geb:gab:gegeben:gibt ein|stuf ein|ordn ein|schaetz entdeck
    entfall:entfiel:entfallen:entfaellt erfahr:erfuhr:erfahren ergeb:ergab:ergeben:ergibt erhalt:erhielt:erhalten:erhaelt erkenn:erkannte:erkannt erklaer erreich
    erschein:erschien:erschienen erwisch erzaehl erziel feststell fest|stell find:fand:gefunden frag geb:gab:gegeben:gibt gelt:galt:gegolten:gilt halt heiss hol hoer
    identifizier informier interessier kategorisier klassifizier krieg land laut leg les:las:gelesen:liest lieg:lag:gelegen list meld merk mit|teil nach|seh:sah:gesehen:sieht
    nach|schau nehm:nahm:genommen:nimmt nenn:nannte:genannt notier sag schreib:schrieb:geschrieben stamm stopp nachverfolg bestaetig steh:stand:gestanden stell stimm such summier tauch
    treff:traf:getroffen:trifft tret:trat:getreten:tritt verbuch vermeld vermerk verrat:verriet:verraten:verraet verteil verzeichn vor|find:fand:gefunden vor|fall:fiel:gefallen:faellt
    vor|komm:kam:gekommen vor|leg vor|les:las:gelesen:liest vor|lieg:lag:gelegen vor|weis:wies:gewiesen weis:wies:gewiesen weiss wiss:wusste:gewusst:weiss wuensch zeig zusammen|fass
    zusammen|stell schaetz ordn stuf deklarier markier bekannt|geb:gab:gegeben:gibt dar|stell ab|ruf:rief:gerufen raus|such beantwort antwort beding verursach zu|ordn zuschreib
    spuck aus|spuck wert zu|komm:kam:gekommen hinzu|komm:kam:gekommen dazu|komm:kam:gekommen da|steh:stand:gestanden heraus|find:fand:gefunden rueckmeld wander schau
    aerger haeuf uebermittel durch|sag aus|rechn auf|summier verschaff erseh:ersah:ersehen:ersieht ein|seh:sah:gesehen:sieht vor|zeig
    vor|trag:trug:getragen dar|leg erlaeuter zusammen|trag:trug:getragen an|fuehr ueberwieg:ueberwog:ueberwogen an|sammel auf|stell
    unterlauf:unterlief:unterlaufen:unterlaeuft bescher fabrizier verschuld aus|loes hervor|ruf:rief:gerufen herbei|fuehr zurueck|fuehr
    beruh resultier her|ruehr plag befall:befiel:befallen:befaellt ein|fang:fing:gefangen ein|handel auf|schein:schien:geschienen
    vor|rechn bilanzier beschreib:beschrieb:beschrieben schilder kenn:kannte:gekannt deut auf|komm:kam:gekommen"""
_PARTS = """article assembly bit component inspection item judgement judgment part piece sample specimen unit verdict workpiece
    evaluation examination screening check run"""
_TEILE = """artikel bauteil exemplar pruefling prueflinge pruefteil stueck stuecke teil teilen werkstueck werkstuecke inspektion urteil
    begutachtung sichtpruefung ueberpruefung kontrolle"""
_TIMES = """case incident instance occasion occurrence time finding event appearance example"""
_MALE = """fall faelle mal vorfall vorfaelle ereignis ergebnis ergebnisse meldung befund vorkommen beispiel"""
_ENGLISH_THINGS = """amount answer business camera copy data day detail entry figure headcount hour image info information line
    list log lookup machine manner minute moment news night number output overview period pic picture place plant point portion
    position process production quantity question reading readout record report result second set shift sort stand state
    statement station statistic stat stats status sum summary system tally term test thing stop throughput total type update value
    version volume way week word work kind colleague everyone level rundown snapshot digest ai vision software computer
    interval timeframe stretch incidence frequency prevalence performance month breakdown equipment device
    detail detection judgement chart graph diagram"""
_DINGE = """anlage hoehe zeitpunkt haeufigkeit verzeichnis anzahl teilanzahl angabe anzeige anlass art aufstellung auswertung band
    baender bericht bild bilanz daten dauer durchgang durchsatz fertigung figur frage gesamtmenge gesamtsumme gesamtzahl
    grund haus info information kamera kennzahl lage linie liste maschine menge minute moment monat niveau ordnung produktion
    protokoll pruefstation punkt rahmen rueckmeldung sache schicht sorte stand station stationen statistik stelle stueckzahl
    stunde summe system tag teilezahl teileanzahl typ ueberblick uebersicht uhr umfang vorgang wert werk woche zahl zeit zeitraum
    zusammenfassung momentaufnahme kurzfassung auskunft aufkommen anfall vorkommnis haeufung frequenz groessenordnung leistung ausstoss
    ausbringung output durchlauf foerderband bildverarbeitung ki rechner pruefanlage pruefsystem pruefplatz kamerasystem intervall
    zeitspanne zeitfenster zeitabschnitt kennziffer kennwert monat kamerapruefung laufe diagramm grafik schaubild"""
_ENGLISH_PLAIN = """able actual accordingly active available aware concrete corresponding current due entire exact happy
    interested likely many much possible ready related respective responsible sure stopped started
    whole worth curious keen handy overall cumulative aggregate combined affected attributable
    subject because caused terms accounted account regard reference respect proven brief precise accurate
    alone led gimme gonna gotta wanna lemme dunno whats hows wheres whos hes thats theres lets im ive id altogether honestly frankly
    unfortunately sadly luckily hopefully apparently obviously seriously okey afterwards alright"""
_GERMAN_PLAIN = """aktuell auffaellig bekannt betroffen derzeitig gesamt genau gespannt gegeben heutig jeweilig konkret komplett
    kumuliert moeglich neugierig saemtlich ueblich vorhanden verfuegbar viel exakt ungefaehr entsprechend genannt verantwortlich
    ursaechlich zustaendig total lieb ehrlich quasi sozusagen allein alleine leider hoffentlich offenbar anscheinend gluecklicherweise
    ungluecklicherweise jedoch allerdings trotzdem dennoch zudem ausserdem demnach unterm strich toto gruendlich ganz bloed dato"""
_OF_OTHERS = frozenset(
    ("bekommen", "erhalten", "genommen", "gefragt", "heard", "wanted", "gehalten")
)

RUNNING = forms(_RUNNING, english_verb) | forms(_LAUFEN, german_verb)
SHOWN = (
    (forms(_SHOWING, english_participles) | forms(_ZEIGEN, german_participles))
    - RUNNING
    - _OF_OTHERS
)
SHOWING = forms(_SHOWING, english_verb) | forms(_ZEIGEN, german_verb)
PARTS = forms(_PARTS, english_noun) | forms(_TEILE, german_noun)
COUNTED = PARTS | forms(_TIMES, english_noun) | forms(_MALE, german_noun)
THINGS = (forms(_ENGLISH_THINGS, english_noun) | forms(_DINGE, german_noun)) - COUNTED
PLAIN = (
    RUNNING | SHOWING | COUNTED | THINGS | frozenset(_ENGLISH_PLAIN.split())
    | forms(_GERMAN_PLAIN, german_adjective)
)  # fmt: skip
IGNORED = CLOSED | PLAIN
