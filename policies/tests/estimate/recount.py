"""Counts the texts beside it with OpenAI's own vocabularies, into counts.json.

    pip install bpe-openai && python3 policies/tests/estimate/recount.py

Each text is counted as a whole, and in pieces of whole lines of 400 bytes and more.
"""

import json
import pathlib

import bpe_openai

HERE = pathlib.Path(__file__).parent
PIECE = 400


def pieces(text):
    """As `pieces` of estimate.rs cuts it."""
    found, piece = [], ""
    for line in text.splitlines(keepends=True):
        piece += line
        if len(piece.encode()) >= PIECE:
            found.append(piece)
            piece = ""
    if piece and found:
        found[-1] += piece
    elif piece:
        found.append(piece)
    return found


def main():
    names = {"o200k": "o200k_base", "cl100k": "cl100k_base"}
    vocabularies = {name: bpe_openai.get_encoding(known) for name, known in names.items()}
    counts = {}
    for path in sorted(HERE.glob("texts/*.txt")):
        text = path.read_text()
        counts[path.stem] = {
            name: {
                "whole": len(vocabulary.encode(text)),
                "pieces": [len(vocabulary.encode(piece)) for piece in pieces(text)],
            }
            for name, vocabulary in vocabularies.items()
        }
    (HERE / "counts.json").write_text(json.dumps(counts, indent=1) + "\n")


main()
