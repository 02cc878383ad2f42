"""What each account may do at a box's broker, written out by hand: w writes, r reads, - neither.

The accounts are of one box (acme/plant1/area1/line1/cell1) but `site`, which speaks for all of
plant1. `other` is another box. Nothing here is derived from the code that grants rights.
"""

PREFIX, OTHER = "acme/plant1/area1/line1/cell1", "acme/plant1/area1/line1/cell2"
SITE = "acme/plant1/+/+/+"
ACCOUNTS = ("box", "console", "viewer", "collector", "operator", "site", "monitor", "other")
SCOPES = {"site": SITE, "monitor": "", "other": OTHER}
ROLES = {"other": "box"}
TABLE = """
topic            box console viewer collector operator site monitor other
top/verdicts     w   -       r      r         r        w    -       -
top/last         w   -       r      r         r        w    -       -
state            w   r       r      r         r        w    -       -
health           w   r       r      r         r        w    -       -
alarms           w   r       r      r         r        w    -       -
cmd/replay       r   -       -      w         w        r    -       -
cmd/trigger      r   -       -      -         w        r    -       -
cmd/flag         r   -       -      -         w        r    -       -
cmd/else         -   -       -      -         -        -    -       -
config           -   -       -      -         -        -    -       -
"""
OTHERS = """
topic            box console viewer collector operator site monitor other
top/verdicts     -   -       -      -         -        w    -       w
top/last         -   -       -      -         -        w    -       w
state            -   -       -      -         -        w    -       w
health           -   -       -      -         -        w    -       w
alarms           -   -       -      -         -        w    -       w
cmd/replay       -   -       -      -         -        ?    -       ?
cmd/trigger      -   -       -      -         -        ?    -       ?
cmd/flag         -   -       -      -         -        ?    -       ?
"""
ELSEWHERE = """
topic            box console viewer collector operator site monitor other
$SYS/broker/uptime -  -      -      -         -        -    r       -
elsewhere/x      -   -       -      -         -        -    -       -
"""


def table() -> dict[tuple[str, str], str]:
    """{(account, topic): 'w', 'r', '-'}; '?' is what nobody there may write, so nobody can hear."""
    found = {}
    for text, prefix in ((TABLE, f"{PREFIX}/"), (OTHERS, f"{OTHER}/"), (ELSEWHERE, "")):
        heading, *rows = text.strip().splitlines()
        names = heading.split()[1:]
        for row in rows:
            topic, *rights = row.split()
            found |= {
                (name, prefix + topic): right for name, right in zip(names, rights, strict=True)
            }
    return found


def agrees(right: str, writes: bool, reads: bool) -> bool:
    """Whether what was found is what is written above."""
    return (writes, reads) == {"w": (True, False), "r": (False, True)}.get(right, (False, False))
