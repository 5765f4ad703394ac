"""Build data/reviews.npz: sentences from four kinds of text, each rated by twenty people or so.

    python data/build/reviews.py FOLDER

FOLDER is hutto_ICWSM_2014, unpacked from additional_resources/hutto_ICWSM_2014.tar.gz in the
source package of PyPI's vaderSentiment 3.3.2 (`pip download --no-deps --no-binary :all:
vaderSentiment==3.3.2`). Needs NumPy. Prints the SHA-256 for data/registry.toml and the numbers on
the card.
"""

import hashlib
import html
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from packed import write

SOURCES = {
    "movies": ("movieReviewSnippets_GroundTruth.txt", "c8293b0d942e90e2"),
    "products": ("amazonReviewSnippets_GroundTruth.txt", "11a9807a0974a250"),
    "editorials": ("nytEditorialSnippets_GroundTruth.txt", "7d8fbcce7dde5d71"),
    "tweets": ("tweets_GroundTruth.txt", "dfbe7102e2f92579"),
}

# Sentences with these words are left out: the course is read in classrooms. Words about a subject
# (sex, crime, religion) stay; these are abuse, or explicit. "Dick" with a capital is a name.
CRUDE = re.compile(
    r"(?i:fuck|\bf\*+k|shit|bitch|\bcunt|\bnigg|\bwhore|\bslut|\btwat|\bwank|\bpussy|\bcocks?\b"
    r"|\btits?\b|\bboobs?\b|\bpenis|"
    r"\bvagina|\bporn|\borgasm|\bmasturb|\banal\b|\basshole|\bhoe?s\b|\bwtf\b"
    r"|\bstfu\b|\blmfao|\bretard(s|ed)?\b|\bfag(s|got)?|"
    r"\bsexting|\bhorny|\bblow ?job|\bdyke|\bsexpot|\bsexploit)|\bdick\b"
)
ALIKE = 0.5  # two sentences with this share of common runs of three words count as versions of one


def plain(text):
    """What is compared: lower case, letters and digits only, without the marks of a repeated
    tweet.
    """
    text = re.sub(r"\brt\b|@anonymous|http://url_removed", " ", text.lower())
    return re.sub(r"[\W_]+", " ", text).strip()


def read(folder):
    for domain, (file, start) in SOURCES.items():
        content = (folder / file).read_bytes()
        if not (found := hashlib.sha256(content).hexdigest()).startswith(start):
            raise SystemExit(
                f"expected {file} with a SHA-256 that starts with {start}, found {found}"
            )
        for line in content.decode("utf-8").splitlines():
            if line.strip():
                number, rating, text = line.split("\t")
                yield domain, number, float(rating), " ".join(html.unescape(text).split())


def document(domain, number):
    """Which review or article a sentence comes from; None where that was not recorded."""
    return (domain, number.split("_")[0]) if "_" in number else None


def joined(rows, copies):
    """A group for each row: sentences of one document and versions of one sentence share it,
    however long the chain.

    `copies` are pairs of documents that have a sentence in common.
    """
    parent = list(range(len(rows)))

    def root(row):
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    runs, where, documents = [], defaultdict(list), {}
    for row, (domain, number, _, text) in enumerate(rows):
        words = plain(text).split()
        runs.append({tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))})
        for run in runs[-1]:
            where[run].append(row)
        if source := document(domain, number):
            parent[root(row)] = root(documents.setdefault(source, row))
    for one, other in copies:
        if one in documents and other in documents:
            parent[root(documents[other])] = root(documents[one])
    pairs = {
        (one, other)
        for found in where.values()
        if len(found) <= 50
        for one in found
        for other in found
        if one < other
    }
    alike = [
        (one, other)
        for one, other in pairs
        if len(runs[one] & runs[other]) / len(runs[one] | runs[other]) >= ALIKE
    ]
    for one, other in alike:
        parent[root(other)] = root(one)
    print(f"{len(alike)} pairs of sentences are versions of one another")
    return [root(row) for row in range(len(rows))]


def main(folder: Path):
    everything, seen, rows, copies = list(read(folder)), {}, [], set()
    crude = double = empty = 0
    for row in everything:
        key = plain(row[3])
        if len(key.split()) < 2:
            empty += 1
        elif key in seen:
            double += 1
            pair = (seen[key], document(*row[:2]))
            if all(pair) and len(key.split()) >= 5:  # two people may well write "value for money"
                copies.add(pair)
        elif CRUDE.search(row[3]):
            crude += 1
        else:
            seen[key] = document(*row[:2])
            rows.append(row)
    print(
        f"{len(everything):,} sentences; left out: {empty} of fewer than two words, {double} a "
        f"second time, {crude} for crude words; "
        f"kept {len(rows):,}"
    )
    groups = joined(rows, copies)
    texts = [text.encode() for *_, text in rows]
    domains, ratings = np.array([row[0] for row in rows]), np.array([row[2] for row in rows])
    names = np.array([f"{domain}-{number}" for domain, number, *_ in rows])
    for domain in SOURCES:
        here = domains == domain
        print(
            f"{domain}: {here.sum():,} in {len({g for g, h in zip(groups, here) if h}):,} "
            "groups; beyond a margin of 0.5: "
            f"{(ratings[here] > 0.5).sum():,} positive, {(ratings[here] < -0.5).sum():,} negative"
        )
    write(
        Path(__file__).parent.parent / "reviews.npz",
        {
            "text": np.frombuffer(b"".join(texts), np.uint8),
            "ends": np.cumsum([len(text) for text in texts]),
            "ratings": ratings.round(4).astype(np.float32),
            "domains": domains,
            "keys": names,
            "groups": names[groups],
        },
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
