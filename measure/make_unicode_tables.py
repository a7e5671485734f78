"""Writes measure/unicode_tables.h: what Python's str.lower and its regular expressions' \\w say about every character.

    python3.11 measure/make_unicode_tables.py | clang-format > measure/unicode_tables.h

The tables follow the Unicode version of the Python that runs this (3.11: Unicode 14.0), so that words are cut and compared as the Python packages do.
"""
import re
import unicodedata

CHARACTERS = [c for c in range(0x80, 0x110000) if not 0xd800 <= c < 0xe000]
WORD = re.compile(r"\w")


def word_ranges():
    ranges = []
    for c in CHARACTERS:
        if not WORD.match(chr(c)):
            continue
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return ranges


def lower_ranges():
    """[first, last, step, distance to the lower-case letter]; U+0130, the only character that becomes two, is left to the code."""
    ranges = []
    for c in CHARACTERS:
        lower = chr(c).lower()
        if len(lower) != 1 or lower == chr(c):
            continue
        distance = ord(lower) - c
        if ranges and ranges[-1][3] == distance:
            first, last, step, _ = ranges[-1]
            if c - last == step or (first == last and c - last == 2):
                ranges[-1] = [first, c, c - last, distance]
                continue
        ranges.append([c, c, 1, distance])
    return ranges


def table(declaration, rows, per_line):
    print(f"{declaration} = {{")
    for i in range(0, len(rows), per_line):
        print("    " + ", ".join("{" + ", ".join(row) + "}" for row in rows[i:i + per_line]) + ",")
    print("};")


assert [c for c in CHARACTERS if len(chr(c).lower()) != 1] == [0x130]
print(f"/* Made by measure/make_unicode_tables.py from Unicode {unicodedata.unidata_version}: characters beyond ASCII, ascending. Included by unicode.c alone. */")
table("static const struct {\n  uint32_t first, last;\n} word_ranges[]", [[f"0x{v:x}" for v in r] for r in word_ranges()], 8)
table("static const struct {\n  uint32_t first, last, step;\n  int32_t distance;\n} lower_ranges[]", [[f"0x{v:x}" for v in r[:3]] + [str(r[3])] for r in lower_ranges()], 8)
