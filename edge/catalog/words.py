"""A choice in words, for the terminal."""

from collections import Counter

from edge.catalog.selecting import Asked, Chosen

SHOWN = 40


def summary(asked: Asked, chosen: Chosen) -> list[str]:
    """Lines for people: each set's choice and its first reason, then what was refused and why."""
    sets: dict[str, list[str]] = {}
    empty: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for one in chosen.choices:
        if one.place:
            line = f"  {one.place}  {one.look.path}: {one.reason}"
            sets.setdefault(one.set, []).append(line)
        elif one.refused:
            empty[one.set] += 1
            kinds[one.reason.partition(":")[0]] += 1
    lines: list[str] = []
    for of, found in sorted(sets.items())[:SHOWN]:
        lines += [of, *found]
    if len(sets) > SHOWN:
        lines.append(f"and {len(sets) - SHOWN} more in {asked.out / 'selection.csv'}")
    without = sorted(of for of in empty if of not in sets)
    if without:
        lines.append(f"no fit picture of: {', '.join(map(str, without[:SHOWN]))}")
    picked = sum(len(found) for found in sets.values())
    lines.append(
        f"\n{picked} of {len(chosen.choices)} pictures chosen for {len(sets)} "
        f"{'products' if asked.sets.word == 'product' else 'categories'}; "
        f"{sum(kinds.values())} refused, {len(chosen.unusable)} could not be used"
    )
    lines += [f"  {count:>5}  {kind}" for kind, count in kinds.most_common(12)]
    lines += [f"  unusable: {problem}" for _, problem in chosen.unusable[:5]]
    if len(chosen.unusable) > 5:
        lines.append(f"  and {len(chosen.unusable) - 5} more in {asked.out / 'unusable.csv'}")
    lines += [f"  note: {one}" for one in chosen.warnings]
    return [*lines, f"→ {asked.out / 'sheet.html'}"]
