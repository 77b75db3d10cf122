"""English letter-to-sound rules and the words that follow none.

Pure data plus two lookups. A rule is ``pattern phones``; the first that matches at a position of a lower-case word
(letters a-z and the apostrophe) consumes its letters. Phones are those of :mod:`rtnb.service.speech.phones`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

__all__ = ["irregular_words", "letter_names", "match_rule", "weak_words"]

# «-» as phones: the letters are silent.
_RULES = r"""
^re(?=[^aeiouds][aeiou]|s[pt]) R AX
^be(?=[^aeiou][aeiou]) B AX
^de(?=[^aeioum][aeiou]) D AX
^co(?=m[mp]|n[nt]) K AX
ex(?=[aeiou]) AX G Z
^ex(?=p[le]|c|t[en]) AX K S
(?<=s)o(?=n$|me|ther)|(?<=m)o(?=nth|n[kd]|ney)|(?<=br)o(?=ther) AH
augh|ough(?=t) AO
ah(?![aeiou]) AA
ai(?=r) EH
a(?=re$|ry$|ring$) EH
ai|ay EY
au|aw AO
ar(?=r[aeiouy]) AE
ar(?![aeiou]) AA R
all(?=$|s$|ed$|ing$) AO L
al(?=[kdt]) AO L
(?<=^.)able$ EY B AX L
(?<=^..)able$ EY B AX L
able$ AX B AX L
ably$ AX B L IY
age$ IH JH
ages$ IH JH IH Z
a(?=nge|tion|sion|cious|bel|ste$) EY
(?<=w)a(?=t|n[dt]|s|tch) AA
wa(?=r) W AO
a(?=[^aeiouwxyr]e(?:s|d|r|rs|ly|ment)?$) EY
a(?=[^aeiouwxyr]ing$) EY
a(?=[^aeiouwxyr](?:ia|io|iu)) EY
^a(?=[bcdfglmnprst][aeiou]|bout|gree|cross|ppear|nnounce|rrive) AX
(?<=[a-z])al$ AX L
(?<=[a-z])a$ AX
(?<=[a-z][a-z])an$ AX N
(?<=[a-z][a-z])a(?=nt$|nce$|r$) AX
a AE
(?<=m)b$ -
bb?(?!b) B
tch CH
^ch(?=r|aos|ord) K
ch(?=o$|oes$|itect|nolog|nic) K
ch CH
c(?=ia[ln]|ious|ient) SH
ck K
cc(?=[ei]) K S
c(?=[eiy]) S
cc?(?!c) K
dge JH
dd?(?!d) D
eigh EY
ear(?=[nlt]) ER
ea(?=r) IH
ea(?=d$|dy$|th|lth|sure|ther|vy$) EH
eau(?=t) Y UW
ee|ea IY
ei|ey$|eys$ IY
(?<=[rljhc])e[uw] UW
eu|ew Y UW
er(?=r) EH
er(?=[aeiou]) IH R
er(?![aeiou]) ER
(?<=[td])ed$ IH D
(?<=[pkfsxc])ed$|(?<=[cs]h)ed$ T
(?<=[a-z][a-z])ed$ D
(?<=[scgzx])es$|(?<=[cs]h)es$ IH Z
(?<=[a-z][a-z])es$ Z
(?<=[a-z][aeiouy][a-z])e(?=(?:ly|ment|ments|less|ful|ness|thing|times?|where)$) -
(?<=[a-z][a-z])e(?=n$|nt|nce|l$|ls$|ns$) AX
(?<=[a-z][a-z])et$ IH T
e(?=[^aeiouwxyr]es?$) IY
(?<=[a-z][a-z])e$ -
e$ IY
e(?=o|a) IY
e EH
ff?(?!f) F
^gh G
gh(?=t)|gh$ -
^gn|gn(?=$|ed$|s$|er$|ing$) N
^g(?=ir|et|iv|ea|ift|ill) G
g(?=[eiy]) JH
gu(?=[eia]) G
gg?(?!g) G
(?<=[aeiou])h(?![aeiou])|(?<=[rg])h -
h HH
igh AY
i(?=gn$|gned|nd$|nds$|ld$|lds$) AY
(?<=^.)ie(?=$|d$|s$) AY
ies$ IY Z
ied$ IY D
ie(?=t|nc) AY AX
ier IY ER
ie IY
ire(?=$|s$|d$) AY ER
ir(?![aeiou]) ER
ing$ IH NG
ings$ IH NG Z
(?<=[a-z][a-z][a-z])i(?=ce$|ve$|ne$|te$|ces$) IH
i(?=[^aeiouwxyr]e(?:s|d|r|rs|ly)?$) AY
i(?=[^aeiouwxyr]ing$) AY
i(?=a|o|u|e) IY
i$ IY
i IH
j JH
^kn N
kk?(?!k) K
(?<=[bcdfgkptzs])le$ AX L
(?<=[bcdfgkptzs])les$ AX L Z
l(?=l$|ll) -
ll?(?!l) L
mm?(?!m) M
ng(?=$|s$|th|ing|er$|ed$|ly) NG
n(?=[kxg]|qu) NG
nn?(?!n) N
oo(?=k|d$|t$) UH
oo UW
ough OW
ould UH D
oar AO R
our AO R
(?<=[a-z][a-z])ous AX S
ou AW
ow(?=n|l|er|d) AW
ow OW
oy|oi OY
oa OW
(?<=w)or(?=[kdlmst]) ER
(?<=[a-z][a-z])or$ ER
or(?![aeiou])|or(?=e) AO R
o(?=ld|ll$|st$|lt|th$) OW
o(?=[^aeiouwxyr]e(?:s|d|r|rs|n|ly)?$) OW
o(?=[^aeiouwxyr]ing$) OW
o(?=cean|pen|ver|cal|tion|dy$|nl|bo) OW
o$|oe|oh|oes$ OW
(?<=[a-z][a-z])on$ AX N
(?<=[a-z][a-z])o(?=ns$|m$|ry) AX
o AA
ph F
^ps S
pp?(?!p) P
que$ K
qu K W
q K
^rh|wr R
rr?(?!r) R
sch S K
sh SH
ssion SH AX N
sion ZH AX N
(?<=[aeiou])sure ZH ER
sm$ Z AX M
sc(?=[eiy]) S
(?<=[ui])s$ S
(?<=[bdgvlmnrwyaeo])s$ Z
(?<=[aeiou])s(?=[aeiou]|y$) Z
ss?(?!s) S
tion SH AX N
tial SH AX L
tious SH AX S
tient SH AX N T
ture CH ER
^th(?=e|is|at|ey|an$|us$|ough$|ose$) DH
(?<=[aeou])th(?=er|e$|ing$) DH
th TH
(?<=s)t(?=le|en) -
tt?(?!t) T
^uni Y UW N IH
^un AH N
ue|ui UW
ur(?![aeiou]) ER
(?<=[rljsch])u(?=[^aeiouwxyr][aeiouy]) UW
(?<=st)u(?=[^aeiouwxyr][aeiouy]) UW
(?<=[a-z]f)ul(?=$|ly$) AX L
(?<=[bcfhmnpg])u(?=[^aeiouwxyr][iaou]|[^aeiouwxyr]e) Y UW
^u(?=[^aeiouwxy][aeiou]) Y UW
u(?=re$|res$) Y UH
u(?=[^aeiouwxyr]e(?:s|d|r|rs)?$) UW
u(?=[^aeiouwxyr]ing$) UW
(?<=[bpf])u(?=ll|sh|t$) UH
u$ UW
u AH
vv?(?!v) V
^who HH UW
wh W
(?<=[aeiou])w$ -
w W
^x Z
x K S
(?<=[aeo])y -
^y Y
(?<=^.)y$|(?<=^..)y$|(?<=^[sfp]k)y$|(?<=pl)y$|(?<=f)y$ AY
y$ IY
y(?=[aeiou]) Y
y(?=[^aeiouwxy]e$) AY
y IH
zz?(?!z) Z
' -
[a-z] -
"""

_IRREGULAR = """
a AX; i AY; the DH AX; to T UW; of AX V; and AX N D; is IH Z; was W AA Z; are AA R; were W ER; be B IY; been B IH N;
he HH IY; she SH IY; we W IY; me M IY; you Y UW; your Y AO R; yours Y AO R Z; they DH EY; their DH EH R; there DH EH R;
this DH IH S; these DH IY Z; that DH AE T; have HH AE V; having HH AE V IH NG; giving G IH V IH NG; living L IH V IH NG; coming K AH M IH NG; has HH AE Z; had HH AE D; do D UW; does D AH Z; done D AH N;
don't D OW N T; did D IH D; go G OW; goes G OW Z; gone G AA N; no N OW; so S OW; who HH UW; what W AH T; where W EH R;
one W AH N; two T UW; four F AO R; eight EY T; zero Z IH R OW; seven S EH V AX N; eleven IH L EH V AX N;
how HH AW; waveform W EY V F AO R M; because B AX K AO Z; now N AW; allow AX L AW; something S AH M TH IH NG; library L AY B R EH R IY; once W AH N S; some S AH M; come K AH M; comes K AH M Z; love L AH V; give G IH V; given G IH V AX N; live L IH V;
said S EH D; says S EH Z; says S EH Z; any EH N IY; many M EH N IY; only OW N L IY; other AH DH ER; mother M AH DH ER;
brother B R AH DH ER; another AX N AH DH ER; nothing N AH TH IH NG; could K UH D; would W UH D; should SH UH D;
people P IY P AX L; before B AX F AO R; between B AX T W IY N; both B OW TH; from F R AH M;
for F AO R; or AO R; with W IH DH; as AE Z; his HH IH Z; its IH T S; it's IH T S; i'm AY M; i'll AY L; i've AY V;
us AH S; yes Y EH S; bus B AH S; plus P L AH S; minus M AY N AX S; thus DH AH S; gas G AE S; put P UH T; want W AA N T;
water W AO T ER; word W ER D; words W ER D Z; work W ER K; world W ER L D; great G R EY T; break B R EY K;
hello HH AX L OW; hi HH AY; okay OW K EY; ok OW K EY; goodbye G UH D B AY; bye B AY; thank TH AE NG K;
sure SH UH R; please P L IY Z; assist AX S IH S T; today T UW D EY; tomorrow T UW M AA R OW; course K AO R S;
speech S P IY CH; voice V OY S; audio AO D IY OW; video V IH D IY OW; model M AA D AX L; real R IY L;
realtime R IY L T AY M; really R IY L IY; service S ER V IH S; session S EH SH AX N; server S ER V ER;
response R IH S P AA N S; rehearsal R IH HH ER S AX L; azure AE ZH ER; notebook N OW T B UH K; local L OW K AX L;
again AX G EH N; against AX G EH N S T; always AO L W EY Z; also AO L S OW; almost AO L M OW S T; very V EH R IY;
every EH V R IY; everything EH V R IY TH IH NG; even IY V AX N; evening IY V N IH NG; ever EH V ER; never N EH V ER;
over OW V ER; under AH N D ER; own OW N; know N OW; known N OW N; show SH OW; though DH OW; through TH R UW;
thought TH AO T; enough IH N AH F; rough R AH F; laugh L AE F; cough K AO F; half HH AE F; hour AW ER; hours AW ER Z;
minute M IH N IH T; minutes M IH N IH T S; second S EH K AX N D; hundred HH AH N D R AX D; thousand TH AW Z AX N D;
million M IH L Y AX N; billion B IH L Y AX N; trillion T R IH L Y AX N; percent P ER S EH N T; using Y UW Z IH NG;
use Y UW Z; used Y UW Z D; move M UW V; prove P R UW V; lose L UW Z; whose HH UW Z; whole HH OW L; school S K UW L;
friend F R EH N D; heart HH AA R T; heard HH ER D; hear HH IH R; year Y IH R; ear IH R; eye AY; eyes AY Z; busy B IH Z IY;
women W IH M AX N; woman W UH M AX N; child CH AY L D; children CH IH L D R AX N; island AY L AX N D; answer AE N S ER;
question K W EH S CH AX N; build B IH L D; built B IH L T; design D IH Z AY N; machine M AX SH IY N; idea AY D IY AX;
language L AE NG G W IH JH; science S AY AX N S; quiet K W AY AX T; music M Y UW Z IH K; colour K AH L ER;
color K AH L ER; young Y AH NG; country K AH N T R IY; double D AH B AX L; trouble T R AH B AX L; touch T AH CH;
door D AO R; floor F L AO R; blood B L AH D; good G UH D; food F UW D; moon M UW N; into IH N T UW; get G EH T;
girl G ER L; together T UW G EH DH ER; begin B IH G IH N; finger F IH NG G ER; hunger HH AH NG G ER; about AX B AW T;
tell T EH L; ask AE S K; mr M IH S T ER; mrs M IH S IH Z; dr D AA K T ER; vs V ER S AX S; etc EH T S EH T ER AX;
hmm HH M; mm M; shh SH; www D AH B AX L Y UW D AH B AX L Y UW D AH B AX L Y UW; banana B AX N AE N AX;
"""

_WEAK = """
a the to of and is was are were be been he she we me you your they their this that have has had do does so for or with
as his its it's us at in on by an it if but my from can will would could should than then i'm i'll i've not
"""

_LETTERS = """
a EY; b B IY; c S IY; d D IY; e IY; f EH F; g JH IY; h EY CH; i AY; j JH EY; k K EY; l EH L; m EH M; n EH N; o OW;
p P IY; q K Y UW; r AA R; s EH S; t T IY; u Y UW; v V IY; w D AH B AX L Y UW; x EH K S; y W AY; z Z IY
"""


@lru_cache(maxsize=1)
def _rules() -> tuple[re.Pattern[str], tuple[tuple[str, ...], ...]]:
    """Compile the rules into one alternation whose group number is the rule's number."""
    lines = [line.split(" ") for line in _RULES.strip().splitlines()]
    pattern = re.compile("|".join(f"({line[0]})" for line in lines))
    return pattern, tuple(tuple(phone for phone in line[1:] if phone != "-") for line in lines)


def match_rule(word: str, position: int) -> tuple[int, tuple[str, ...]]:
    """Apply the first rule that fits at a position.

    Parameters
    ----------
    word : str
        Lower-case, ``a`` to ``z`` and apostrophes only.
    position : int
        Index of the letter to be read next.

    Returns
    -------
    (int, tuple of str)
        The position after the letters read, and their phones.
    """
    pattern, phones = _rules()
    match = pattern.match(word, position)
    if match is None or match.lastindex is None:
        return position + 1, ()
    return match.end(), phones[match.lastindex - 1]


def _entries(table: str) -> Mapping[str, tuple[str, ...]]:
    words = (entry.split() for entry in table.split(";") if entry.strip())
    return {word: tuple(phones) for word, *phones in words}


@lru_cache(maxsize=1)
def irregular_words() -> Mapping[str, tuple[str, ...]]:
    """Give the phones of words that the rules would get wrong."""
    return _entries(_IRREGULAR)


@lru_cache(maxsize=1)
def weak_words() -> frozenset[str]:
    """Give the small words that carry no stress in a sentence."""
    return frozenset(_WEAK.split())


@lru_cache(maxsize=1)
def letter_names() -> Mapping[str, tuple[str, ...]]:
    """Give the phones of the letters' names, ``a`` to ``z``."""
    return _entries(_LETTERS)
