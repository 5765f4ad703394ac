"""Build data/emoji_styles.npz: everyday things, each drawn in up to five styles.

    python data/build/emoji_styles.py FOLDER [--sheet SHEET.png]

FOLDER holds the npm packages below, unpacked. `npm pack NAME@VERSION` fetches one, and
`mkdir DIR && tar xzf FILE.tgz -C DIR --strip-components=1` unpacks it; the names of the folders
are in PACKAGES. Needs resvg_py 0.5.0, Pillow 13.0.0 and NumPy; the same versions give the same
bytes. `--sheet` draws every picture beside its label, for looking at. Prints the SHA-256 for
data/registry.toml.

Which picture belongs to which class is decided here and nowhere else: by the Unicode subgroup
first (CLASSES), then by hand (MOVED, EXCLUDED with a reason each).
"""

import argparse
import io
import json
import re
from pathlib import Path

import numpy as np
import resvg_py
from packed import write
from PIL import Image, ImageDraw

SIZE = 96
PACKAGES = {  # folder -> (npm package, version)
    "emoji-datasource": ("emoji-datasource", "16.0.0"),  # names and Unicode subgroups only
    "noto": ("@iconify-json/noto", "1.2.9"),
    "twemoji": ("@iconify-json/twemoji", "1.2.5"),
    "fluent-3d": ("@lobehub/fluent-emoji-3d", "1.1.0"),
    "fluent-flat": ("@iconify-json/fluent-emoji-flat", "1.2.6"),
    "fxemoji": ("@iconify-json/fxemoji", "1.2.2"),
}
STYLES = ["noto", "twemoji", "fluent_3d", "fluent_flat", "fxemoji"]

# class -> Unicode subgroups that belong to it. A name here is what a person would answer to "what
# is this?".
CLASSES = {
    "mammal": ["animal-mammal"],
    "other animal": [
        "animal-bird",
        "animal-bug",
        "animal-marine",
        "animal-reptile",
        "animal-amphibian",
    ],
    "plant or fruit": ["plant-other", "plant-flower", "food-fruit", "food-vegetable"],
    "meal or drink": ["food-prepared", "food-asian", "food-sweet", "drink"],
    "vehicle": ["transport-ground", "transport-air", "transport-water"],
    "building": ["place-building", "place-religious", "place-other"],
    "clothing": ["clothing"],
    "household or tool": ["tool", "writing", "science", "household", "dishware"],
    "device": ["computer", "phone", "light & video", "music"],
    "sport, music or toy": ["sport", "game", "musical-instrument"],
    "sky or landscape": ["sky & weather", "place-geographic"],
    "book or paper": ["book-paper", "mail", "office"],
}

# Single things whose subgroup would put them in the wrong class (or in none).
MOVED = {
    "mammal": "whale whale2 dolphin seal",
    "plant or fruit": "sweet_potato christmas_tree",
    "clothing": "running_shirt_with_sash martial_arts_uniform",
    "household or tool": """syringe stethoscope scissors paperclip pushpin straight_ruler
        triangular_ruler key old_key thermometer compass sewing_needle thread yarn lock mag
        mag_right candle izakaya_lantern bellhop_bell bell baby_bottle umbrella
        umbrella_with_rain_drops closed_umbrella wastebasket hair_pick lipstick crutch""",
    "device": """alarm_clock mantelpiece_clock stopwatch timer_clock clock3 video_game joystick
        rotating_light satellite_antenna""",
    "book or paper": """dollar euro yen pound receipt admission_tickets ticket world_map
        love_letter memo identification_card""",
    "sky or landscape": "sunrise sunrise_over_mountains earth_africa earth_americas earth_asia",
}

# Left out, with the reason: what a person could not label with confidence, or what would be
# counted twice.
EXCLUDED = {
    "no real animal": "dragon dragon_face unicorn_face phoenix pinata",
    "a part or a trace of an animal": "pig_nose feet feather wing spider_web shell microbe coral",
    "neither plant nor animal, or both": """empty_nest nest_with_eggs wood rock bamboo
        tanabata_tree white_flower rosette""",
    "container or ice rather than a meal or a drink": "ice_cube pouring_liquid knife_fork_plate",
    "belongs to traffic, but drives, flies or floats nowhere": """traffic_light
        vertical_traffic_light construction octagonal_sign wheel oil_drum motorway railway_track
        fuelpump busstop station seat ring_buoy anchor satellite parachute""",
    "vehicle or sport? people disagree": """skateboard roller_skate sled motorized_wheelchair
        manual_wheelchair flying_saucer""",
    "a scene of several classes": """foggy hotsprings tent camping beach_with_umbrella
        national_park wedding building_construction city_sunrise carousel_horse playground_slide
        barber bricks""",
    "worn by nobody, or only held": "ring gem prayer_beads shopping_bags folding_hand_fan",
    "a weapon: tool or not?": """bow_and_arrow bomb dagger_knife shield crossed_swords gun
        boomerang""",
    "a part or a symbol rather than a tool": """link chains broken_chain gear dna probing_cane
        nut_and_bolt black_nib""",
    "a storage medium or a symbol rather than a device": """minidisc floppy_disk cd dvd
        film_frames clapper vhs musical_note notes musical_score abacus""",
    "hardly to be made out": "diya_lamp bubbles elevator smoking",
    "a card, a symbol or a mere ball of light": """mahjong black_joker flower_playing_cards
        spades clubs hearts diamonds crystal_ball magic_wand mirror_ball slot_machine
        diving_mask goal_net fishing_pole_and_fish""",
    "weather equipment or a symbol": """umbrella_on_ground cyclone zap snowman
        snowman_without_snow fire droplet new_moon wind_blowing_face stars""",
    "the moon once more": """waxing_crescent_moon moon waning_gibbous_moon last_quarter_moon
        waning_crescent_moon last_quarter_moon_with_face""",
    "an object rather than paper": """label bookmark package mailbox_closed mailbox
        mailbox_with_mail mailbox_with_no_mail postbox ballot_box_with_ballot outbox_tray
        inbox_tray briefcase file_cabinet card_file_box linked_paperclips round_pushpin""",
    "almost the same picture as another": """oncoming_police_car oncoming_taxi
        thunder_cloud_and_rain email low_battery calling incoming_envelope""",
}

# One concept, several pictures: they must never be parted by a split.
CONCEPTS = {
    "rat and mouse": "rat mouse mouse2",
    "cow": "cow cow2 ox",
    "tiger": "tiger tiger2",
    "rabbit": "rabbit rabbit2",
    "cat": "cat cat2 black_cat",
    "horse": "horse racehorse",
    "pig": "pig pig2 boar",
    "dog": "dog dog2 guide_dog service_dog poodle",
    "sheep": "sheep ram",
    "monkey": "monkey monkey_face",
    "camel": "camel dromedary_camel",
    "whale": "whale whale2",
    "bear": "bear polar_bear",
    "bison": "bison water_buffalo",
    "deer": "deer moose",
    "chick": "hatching_chick baby_chick hatched_chick",
    "bird": "bird black_bird",
    "fish": "fish tropical_fish",
    "chicken": "chicken rooster",
    "goose": "goose swan",
    "dinosaur": "sauropod t-rex",
    "apple": "apple green_apple",
    "clover": "four_leaf_clover shamrock",
    "rose": "rose wilted_flower",
    "lemon": "lemon lime",
    "beans": "beans pea_pod",
    "mushroom": "mushroom brown_mushroom",
    "beer": "beer beers",
    "ice cream": "icecream ice_cream shaved_ice",
    "champagne": "champagne clinking_glasses",
    "cake": "cake birthday",
    "flatbread": "flatbread stuffed_flatbread",
    "bread": "bread baguette_bread",
    "bullet train": "bullettrain_side bullettrain_front",
    "train": "train2 metro light_rail",
    "tram": "tram train railway_car",
    "bus": "bus oncoming_bus trolleybus",
    "car": "car oncoming_automobile taxi",
    "mountain railway": "mountain_railway monorail suspension_railway",
    "cable car": "mountain_cableway aerial_tramway",
    "motor cycle": "racing_motorcycle motor_scooter",
    "airplane": "airplane small_airplane airplane_departure airplane_arriving",
    "boat": "speedboat motor_boat",
    "ship": "ship passenger_ship ferry",
    "truck": "truck articulated_lorry",
    "house": "house house_with_garden house_buildings",
    "post office": "post_office european_post_office",
    "hotel": "hotel love_hotel",
    "glasses": "eyeglasses dark_sunglasses",
    "boot": "boot hiking_boot",
    "swimwear": "bikini one-piece_swimsuit briefs",
    "handbag": "handbag purse pouch",
    "helmet": "helmet_with_white_cross military_helmet",
    "shoe": "mans_shoe athletic_shoe womans_flat_shoe",
    "sandal": "sandal thong_sandal",
    "shirt": "shirt womans_clothes",
    "hammer": "hammer hammer_and_wrench hammer_and_pick",
    "umbrella": "umbrella umbrella_with_rain_drops closed_umbrella",
    "bell": "bell bellhop_bell",
    "magnifying glass": "mag mag_right",
    "pen": "lower_left_ballpoint_pen lower_left_fountain_pen",
    "key": "key old_key",
    "microphone": "microphone studio_microphone",
    "camera": "camera camera_with_flash",
    "telephone": "phone telephone_receiver",
    "movie camera": "movie_camera film_projector",
    "computer": "computer desktop_computer",
    "game pad": "video_game joystick",
    "baseball": "baseball softball",
    "drum": "drum_with_drumsticks long_drum",
    "football": "football rugby_football",
    "earth": "earth_africa earth_americas earth_asia",
    "moon": "full_moon full_moon_with_face new_moon_with_face",
    "crescent moon": "crescent_moon first_quarter_moon first_quarter_moon_with_face",
    "sun": "sunny sun_with_face",
    "sun and cloud": "partly_sunny mostly_sunny barely_sunny partly_sunny_rain",
    "cloud": "cloud rain_cloud snow_cloud lightning",
    "star": "star star2",
    "mountain": "mountain snow_capped_mountain mount_fuji",
    "sunrise": "sunrise sunrise_over_mountains",
    "closed book": "closed_book green_book blue_book orange_book",
    "notebook": "notebook notebook_with_decorative_cover ledger",
    "newspaper": "newspaper rolled_up_newspaper",
    "page": "page_with_curl page_facing_up",
    "banknote": "dollar euro yen pound",
    "ticket": "ticket admission_tickets",
    "envelope": "e-mail envelope_with_arrow love_letter",
    "calendar": "date calendar spiral_calendar_pad",
    "chart": "chart_with_upwards_trend chart_with_downwards_trend bar_chart",
    "folder": "file_folder open_file_folder",
    "index card": "card_index card_index_dividers",
}

# FxEmoji has names of its own, mostly Unicode's with the spaces left out; these are the others.
FXEMOJI = {
    "hot_pepper": "chilipepper",
    "evergreen_tree": "evergreen",
    "fallen_leaf": "fallingleaf",
    "leaves": "leaffluttering",
    "fish_cake": "fishcakeswirl",
    "leopard": "leopardside",
    "rabbit2": "bunnyside",
    "rabbit": "bunny",
    "mouse2": "mouseside",
    "tiger2": "tigerside",
    "cat2": "catside",
    "dog2": "dogside",
    "pig2": "pigside",
    "hatched_chick": "frontfacingchick",
    "hamster": "hampster",
    "eyeglasses": "glasses",
    "necktie": "tie",
    "shirt": "mansshirt",
    "womans_clothes": "womansshirt",
    "purse": "pinkwallet",
    "pouch": "makeupbag",
    "mans_shoe": "mensshoe",
    "high_heel": "heels",
    "sandal": "sandals",
    "running_shirt_with_sash": "runningshirt",
    "bulb": "lightbulb",
    "dollar": "banknotedollar",
    "euro": "banknoteeuro",
    "yen": "banknoteyen",
    "pound": "banknotepound",
    "chart_with_upwards_trend": "chartupwardstrend",
    "chart_with_downwards_trend": "chartdownwardstrend",
    "bookmark_tabs": "bookmarktab",
    "notebook_with_decorative_cover": "notebookdecorativecover",
    "envelope_with_arrow": "envelopedownarrowabove",
    "iphone": "cellphone",
    "video_camera": "handheldvideocamera",
    "mag": "leftmagnifyingglass",
    "mag_right": "rightmagnifyingglass",
    "mantelpiece_clock": "manltepiececlock",
    "studio_microphone": "studiomic",
    "control_knobs": "controlknob",
    "tokyo_tower": "toykotower",
    "bullettrain_front": "highspeedtrainbulletnose",
    "racing_car": "racecar",
    "snow_capped_mountain": "snowmountains",
    "earth_africa": "europeafricaglobe",
    "earth_americas": "americasglobe",
    "earth_asia": "asiaaustraliaglobe",
    "first_quarter_moon_with_face": "firstquartermoonface",
    "partly_sunny_rain": "sunraincloud",
    "sunny": "sunrays",
    "mostly_sunny": "whitesunsmallcloud",
    "barely_sunny": "whitesunbehindcloud",
    "tennis": "tennisball",
    "dark_sunglasses": "darksunglasses",
    "bouquet": "bouquetofflowers",
    "star": "star",
    "telephone_receiver": "telephonereceiver2",
    "computer": "oldpersonalcomputer",
    "love_letter": "loveletter",
    "whale": "spurtingwhale",
    # Drawn as another thing (a piano, a domino, a laid table), or hardly at all.
    "keyboard": None,
    "game_die": None,
    "fork_and_knife": None,
    "fog": None,
    "train": None,
}


def listed(words: str) -> list[str]:
    return words.split()


def squashed(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def choose(emoji: list[dict]) -> list[dict]:
    """One row a picture-to-be: key, class, concept, in a fixed order."""
    by_key = {each["short_name"]: each for each in emoji}
    moved = {key: name for name, keys in MOVED.items() for key in listed(keys)}
    out = {key for keys in EXCLUDED.values() for key in listed(keys)}
    concept = {key: name for name, keys in CONCEPTS.items() for key in listed(keys)}
    subgroup = {group: name for name, groups in CLASSES.items() for group in groups}
    # A typing error in a list above must not pass unseen.
    unknown = sorted((set(moved) | set(concept) | out | set(FXEMOJI)) - set(by_key))
    if unknown:
        raise SystemExit(f"not an emoji: {unknown}")
    rows = []
    for key in sorted(by_key):
        each = by_key[key]
        label = moved.get(key) or subgroup.get(each["subcategory"])
        if label is None or key in out:
            continue
        rows.append(
            {
                "key": key,
                "class": label,
                "concept": concept.get(key, each["name"].lower()),
                "name": each["name"],
                "code": each["unified"].lower(),
            }
        )
    unused = sorted(set(concept) - {row["key"] for row in rows})
    if unused:
        raise SystemExit(f"grouped into a concept but not chosen: {unused}")
    for name in set(concept.values()):
        classes = {row["class"] for row in rows if row["concept"] == name}
        if len(classes) != 1:
            raise SystemExit(f"concept {name!r} lies in {sorted(classes)}")
    return rows


class Drawings:
    """The five sets, each asked by Unicode code point or name for an RGBA picture, or None."""

    def __init__(self, folder: Path):
        self.folder, self.sets, self.codes = folder, {}, {}
        for style, name in {
            "noto": "noto",
            "twemoji": "twemoji",
            "fluent_flat": "fluent-flat",
            "fxemoji": "fxemoji",
        }.items():
            self.sets[style] = json.loads((folder / name / "icons.json").read_text())
            self.codes[style] = json.loads((folder / name / "chars.json").read_text())

    def get(self, style: str, row: dict):
        code = row["code"]
        if style == "fluent_3d":
            for name in (code, code.replace("-fe0f", "")):
                file = self.folder / "fluent-3d" / "assets" / f"{name}.webp"
                if file.exists():
                    return Image.open(file).convert("RGBA").resize((SIZE, SIZE), Image.LANCZOS)
            return None
        pack = self.sets[style]
        if style == "fxemoji":
            names = (
                [FXEMOJI[row["key"]]]
                if row["key"] in FXEMOJI
                else [squashed(row["name"]), squashed(row["key"])]
            )
        else:
            names = [
                self.codes[style].get(code) or self.codes[style].get(code.replace("-fe0f", ""))
            ]
        icon = next((pack["icons"][name] for name in names if name in pack["icons"]), None)
        if icon is None:
            return None
        width, height = (
            icon.get("width", pack.get("width", 16)),
            icon.get("height", pack.get("height", 16)),
        )
        left, top = icon.get("left", pack.get("left", 0)), icon.get("top", pack.get("top", 0))
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{SIZE}" height="{SIZE}" viewBox="{left} {top} {width} '
            f'{height}">{icon["body"]}</svg>'
        )
        drawn = resvg_py.svg_to_bytes(
            svg_string=svg, width=SIZE, height=SIZE, skip_system_fonts=True
        )
        return Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")


def on_white(picture: Image.Image) -> Image.Image:
    # The sets leave different margins; a common one keeps margin width from giving the style away.
    box = picture.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    white = Image.new("RGBA", (SIZE, SIZE), (255, 255, 255, 255))
    if box:
        cut = picture.crop(box)
        scale = (SIZE - 8) / max(cut.size)
        cut = cut.resize([max(1, round(side * scale)) for side in cut.size], Image.BICUBIC)
        white.alpha_composite(cut, ((SIZE - cut.width) // 2, (SIZE - cut.height) // 2))
    return white.convert("RGB")


def encoded(picture: Image.Image) -> bytes:
    # Lossless, so every machine decodes the same bytes.
    stream = io.BytesIO()
    picture.save(stream, "WEBP", lossless=True, quality=100, method=4)
    return stream.getvalue()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent.parent / "emoji_styles.npz"
    )
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    for folder, (package, version) in PACKAGES.items():
        found = json.loads((arguments.folder / folder / "package.json").read_text())
        if (found["name"], found["version"]) != (package, version):
            raise SystemExit(
                f"{folder}: expected {package} {version}, found {found['name']} {found['version']}"
            )

    rows = choose(json.loads((arguments.folder / "emoji-datasource" / "emoji.json").read_text()))
    drawings = Drawings(arguments.folder)
    kept, pictures = [], []
    for row in rows:
        for style in STYLES:
            picture = drawings.get(style, row)
            if picture is not None:
                kept.append({**row, "style": style})
                pictures.append(on_white(picture))

    blobs = [encoded(picture) for picture in pictures]
    classes = list(CLASSES)
    arrays = {
        "pictures": np.frombuffer(b"".join(blobs), np.uint8),  # WebP files, one after another
        "ends": np.cumsum([len(blob) for blob in blobs]).astype(
            np.int64
        ),  # where each of them ends
        "labels": np.array([classes.index(row["class"]) for row in kept], np.int64),
        "class_names": np.array(classes),
        "concepts": np.array([row["concept"] for row in kept]),
        "names": np.array([row["key"] for row in kept]),
        "styles": np.array([row["style"] for row in kept]),
    }
    write(arguments.out, arrays, stored=("pictures",))  # already compressed
    concepts = len({row["concept"] for row in kept})
    print(f"{len(kept)} pictures of {len(rows)} things ({concepts} concepts)")
    for name in classes:
        mine = [row for row in kept if row["class"] == name]
        per_style = [sum(row["style"] == style for row in mine) for style in STYLES]
        print(
            f"  {name:22} {len({row['concept'] for row in mine}):4} concepts {len(mine):4} "
            f"pictures {per_style}"
        )
    if arguments.sheet:
        sheet(arguments.sheet, rows, kept, pictures)


def sheet(file: Path, rows, kept, pictures):
    """One picture a class: a cell for each thing, all its styles side by side, its name below."""
    shown = {}
    for row, picture in zip(kept, pictures):
        shown.setdefault(row["key"], {})[row["style"]] = picture
    side, across = 48, 6
    for name in CLASSES:
        mine = [row for row in rows if row["class"] == name]
        cell = (side * len(STYLES) + 12, side + 16)
        page = Image.new("RGB", (cell[0] * across, cell[1] * -(-len(mine) // across)), "white")
        pen = ImageDraw.Draw(page)
        for index, row in enumerate(mine):
            x, y = cell[0] * (index % across), cell[1] * (index // across)
            for column, style in enumerate(STYLES):
                if style in shown[row["key"]]:
                    page.paste(
                        shown[row["key"]][style].resize((side, side)), (x + column * side, y)
                    )
            pen.text((x + 2, y + side), f"{row['key']} [{row['concept']}]"[:44], fill="black")
        page.save(file.with_name(f"{file.stem}-{squashed(name)}.png"))


if __name__ == "__main__":
    main()
