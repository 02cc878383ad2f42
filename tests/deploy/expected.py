"""What each account may do at a box's broker, by hand: w writes, r reads, b both, - neither.

The accounts are of one box (acme/plant1/area1/line1/cell1) but `site`, which speaks for all of
plant1. `other` is another box. Nothing here is derived from the code that grants rights.
"""

PREFIX, OTHER = "acme/plant1/area1/line1/cell1", "acme/plant1/area1/line1/cell2"
SITE = "acme/plant1/+/+/+"
ACCOUNTS = (
    "box", "console", "assistant", "gateway", "shop", "viewer", "collector", "operator", "host",
    "site", "monitor", "other",
)  # fmt: skip
SCOPES = {"site": SITE, "monitor": "", "other": OTHER}
ROLES = {"other": "box"}
TABLE = """
topic        box console assistant gateway shop viewer collector operator host site monitor other
top/verdicts w   -       -         r       -    r      r         r        r    w    -       -
top/last     w   -       -         r       -    r      r         r        r    w    -       -
state        w   r       r         r       -    r      r         r        r    w    -       -
health       w   r       -         r       -    r      r         r        r    w    -       -
alarms       w   r       r         r       -    r      r         r        r    w    -       -
answers      -   -       w         -       -    r      r         r        r    w    -       -
catalog      -   -       -         -       w    r      r         r        r    w    -       -
cmd/replay   r   -       -         w       -    -      w         w        -    r    -       -
cmd/trigger  r   -       -         -       -    -      -         w        -    r    -       -
cmd/flag     r   -       -         -       -    -      -         w        -    r    -       -
cmd/ask      -   -       r         -       -    -      -         w        -    r    -       -
cmd/catalog  -   -       -         -       r    -      -         w        -    r    -       -
cmd/else     -   -       -         -       -    -      -         -        -    -    -       -
config       -   -       -         -       -    -      -         -        -    -    -       -
"""
OTHERS = """
topic        box console assistant gateway shop viewer collector operator host site monitor other
top/verdicts -   -       -         -       -    -      -         -        -    w    -       w
top/last     -   -       -         -       -    -      -         -        -    w    -       w
state        -   -       -         -       -    -      -         -        -    w    -       w
health       -   -       -         -       -    -      -         -        -    w    -       w
alarms       -   -       -         -       -    -      -         -        -    w    -       w
answers      -   -       -         -       -    -      -         -        -    w    -       -
cmd/replay   -   -       -         -       -    -      -         -        -    ?    -       ?
cmd/trigger  -   -       -         -       -    -      -         -        -    ?    -       ?
cmd/flag     -   -       -         -       -    -      -         -        -    ?    -       ?
"""
# Outside every box's prefix; who isn't named there may nothing.
ELSEWHERE = """
topic                           gateway host monitor
spBv1.0/g/NBIRTH/n              w       r    -
spBv1.0/g/NDATA/n               w       r    -
spBv1.0/g/NDEATH/n              w       r    -
spBv1.0/g/DBIRTH/n/c            w       r    -
spBv1.0/g/DDATA/n/c             w       r    -
spBv1.0/g/DDEATH/n/c            w       r    -
spBv1.0/g/NCMD/n                r       b    -
spBv1.0/g/DCMD/n/c              -       -    -
spBv1.0/STATE/scada             r       b    -
homeassistant/sensor/x/y/config w       r    -
homeassistant/status            r       b    -
$SYS/broker/uptime              -       -    r
elsewhere/x                     -       -    -
"""


def table() -> dict[tuple[str, str], str]:
    """{(account, topic): right}; '?' is what nobody there may write, so nobody can hear."""
    found = {}
    for text, prefix in ((TABLE, f"{PREFIX}/"), (OTHERS, f"{OTHER}/"), (ELSEWHERE, "")):
        heading, *rows = text.strip().splitlines()
        names = heading.split()[1:]
        for row in rows:
            topic, *rights = row.split()
            found |= dict.fromkeys(((name, prefix + topic) for name in ACCOUNTS), "-")
            found |= {
                (name, prefix + topic): right for name, right in zip(names, rights, strict=True)
            }
    return found


def agrees(right: str, writes: bool, reads: bool) -> bool:
    """Whether what was found is what is written above."""
    meant = {"w": (True, False), "r": (False, True), "b": (True, True)}
    return (writes, reads) == meant.get(right, (False, False))
