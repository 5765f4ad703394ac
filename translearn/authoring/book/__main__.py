"""`python3 course.py book`: the whole course to read, see and try, as a folder of static files."""

import argparse
import sys
from pathlib import Path

from translearn import paths, words
from translearn.authoring.book import executed, site, slides
from translearn.authoring.reading import find, read
from translearn.errors import CourseError


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="course.py book", description=__doc__)
    parser.add_argument(
        "--output",
        type=Path,
        default=paths.ROOT / "book",
        metavar="FOLDER",
        help="where it is written (default: book, beside course.py)",
    )
    parser.add_argument(
        "--slides",
        nargs="+",
        metavar="NN",
        help="only these lessons, as slides, into the folder's slides",
    )
    parser.add_argument(
        "--language",
        choices=words.languages(),
        default=words.ENGLISH,
        help="in this language, into a folder of that name beside the English pages",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NN",
        help="run these lessons alone; the others are shown as they ran last",
    )
    parser.add_argument("--zip", action="store_true", help="one file as well, as Moodle takes it")
    args = parser.parse_args(argv)
    try:
        if args.slides:
            for lesson in map(read, find(args.slides)):
                ran = executed.execute([lesson])[lesson.name]
                print(slides.write(lesson, ran, args.output))
            return 0
        if args.language != words.ENGLISH and not (args.output / "index.html").exists():
            site.build(args.output, only=args.only)  # each page has a link to the other
        site.build(args.output, args.language, args.only)
        if args.zip:
            print(site.zipped(args.output))
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
