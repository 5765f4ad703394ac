"""Build data/fortunes.npz: short sayings, chosen so that they can be read in a classroom.

    python data/build/fortunes.py FOLDER …

The FOLDERs are usr/share/games/fortunes of Debian's packages fortunes and fortunes-min
1:1.99.1-7.3 (`apt-get download` and `dpkg-deb -x`). Needs NumPy. Prints the SHA-256 for
data/registry.toml, what was left out, and what the check for overlaps found.

Of the 43 files six were chosen, by their names and by reading in them. From these, every saying is
left out that has a word of a long list: about sex and bodies, violence, drink and drugs, faith and
descent, men about women, and oaths. The list is blunt on purpose; it throws away harmless sayings
too.
"""

import hashlib
import re
import sys
from pathlib import Path

from packed import write_texts

FILES = ("education", "food", "literature", "platitudes", "science", "wisdom")
LONGEST = 2_000  # characters; the few longer ones are tables and mock articles
WINDOW = 60  # a run of so many characters that stands in two parts is called an overlap
SHARES = {"test": 0.25, "validation": 0.15}

UNFIT = re.compile(r"""(?ix)\b(
    f\W?u?\W?ck\w* | shit\w* | damn\w* | hell | bastard\w* | bitch\w* | whore\w* | slut\w*
    | ass(es|hole)? | crap\w* | piss\w*
  | tit(s|ties)? | breast\w* | boob\w* | bosom\w* | penis\w* | vagina\w* | orgasm\w*
  | masturbat\w* | sex\w* | erotic\w* | porn\w*
  | nude\w* | naked\w* | virgins? | virginity | prostitut\w* | brothel\w* | rape\w* | rapist\w*
  | seduc\w* | condom\w*
  | pregnan\w* | lovers? | mistress\w* | adulter\w* | homosexual\w* | gay\w* | lesbian\w*
  | queer\w* | impoten\w* | castrat\w*
  | nigg\w* | negro\w* | jew | jews | jewish | nazi\w* | hitler | polack\w* | irish\w*
  | scotsm\w* | arabs? | moslem\w* | muslim\w*
  | islam\w* | catholic\w* | protestant\w* | pope | priests? | nuns? | gods? | jesus | christ
  | christians? | christianity | hindu\w*
  | indians? | chinese | japanese | germans? | french\w* | racis\w* | blacks | drunk\w*
  | drink\w* | beers? | wine\w* | whisk\w*
  | vodka | gin | booze | alcohol\w* | drugs? | cocaine | heroin | marijuana | lsd | opium
  | smok\w* | cigar\w* | suicid\w*
  | murder\w* | kill\w* | shoot\w* | shot | guns? | pistol\w* | bomb\w* | wife | wives
  | husband\w* | girl\w* | women | woman | lady
  | ladies | blondes? | idiot\w* | moron\w* | retard\w* | toilet\w* | fart\w* | urin\w*
  | excrement | torture\w* | corpse\w*
  | hang(ed|ing) | executioner | nuclear | genocide | slave\w* | fat | ugly | stupid\w* | kick
  | lust\w* | marr\w* | divorc\w* | bra
  | lips | sucks? | religio\w* | morgue\w* | dying | kiss\w* | pant(s|ies) | ethnic\w* | female
  | underwear | strip\w* | enema\w* | bowel\w* | barf\w* | vomit\w* | puk\w* | maggot\w*
  | cannibal\w* | execut\w* | abortion\w*
)\b""")


def sayings(folders):
    for name in FILES:
        (file,) = [folder / name for folder in folders if (folder / name).exists()]
        content = file.read_bytes()
        print(f"{name}: sha256 {hashlib.sha256(content).hexdigest()[:16]}")
        for number, saying in enumerate(re.split(r"^%$", content.decode("utf-8"), flags=re.M)):
            lines = [
                re.sub(r".\x08", "", line).expandtabs(4).rstrip()
                for line in saying.strip("\n").split("\n")
            ]
            lines = [
                re.sub(r"^ +-- ", "    -- ", line) for line in lines
            ]  # who said it, set in by one width
            if any(lines):
                yield name, f"{name}/{number:04}", "\n".join(lines) + "\n"


def main(folders):
    kept, unfit, odd = {}, 0, 0
    for source, key, saying in sayings(folders):
        if UNFIT.search(saying):
            unfit += 1
        elif len(saying) > LONGEST or not saying.isascii():
            odd += 1
        else:
            kept[key] = (source, saying)
    # Sayings that share a passage, such as a joke told twice, go to one part, and only one of
    # equal ones stays.
    first, groups, equal = {}, {}, {}
    for key, (_, saying) in kept.items():
        words = re.findall(r"[a-z0-9]+", saying.lower())
        runs = {tuple(words[at : at + 8]) for at in range(max(1, len(words) - 7))}
        same = {groups[first[run]] for run in runs if run in first}
        groups[key] = key
        for run in runs:
            first.setdefault(run, key)
        for other, group in groups.items():
            if group in same:
                groups[other] = key
        equal.setdefault(tuple(words), key)
    unique = {key for key in equal.values()}
    order = sorted(
        set(groups.values()), key=lambda group: hashlib.sha256(f"0:{group}".encode()).hexdigest()
    )
    total = sum(len(kept[key][1]) for key in unique)
    done, part_of = 0, {}
    for group in order:
        share = done / total
        part_of[group] = (
            "test"
            if share < SHARES["test"]
            else "validation"
            if share < sum(SHARES.values())
            else "train"
        )
        done += sum(len(kept[key][1]) for key in unique if groups[key] == group)
    keys = sorted(unique)
    print(
        f"{len(kept) + unfit + odd:,} sayings; left out: {unfit} by the list, {odd} for length "
        f"or letters, {len(kept) - len(keys)} a "
        f"second time; kept {len(keys):,}"
    )
    write_texts(
        Path(__file__).parent.parent / "fortunes.npz",
        [kept[key][1] for key in keys],
        [kept[key][0] for key in keys],
        keys,
        [part_of[groups[key]] for key in keys],
        WINDOW,
        # Who said it may well say more than one thing.
        [re.sub(r"(?m)^    -- .*(\n .*)*", "", kept[key][1]) for key in keys],
    )


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])
