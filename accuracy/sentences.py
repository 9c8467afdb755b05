"""The project's own sentences, and a model's tokens for them."""

from dataclasses import dataclass
from pathlib import Path

from amxfp4.files import reading

SENTENCES = Path(__file__).with_name("sentences.txt")

_MAX_TOKENS = 256
"""The model's limit. Longer sentences are cut."""


@dataclass(frozen=True)
class Sentences:
    """Sentences, and which of them say the same.

    Attributes:
        texts: the sentences.
        groups: the number of each sentence's paragraph. Sentences of one paragraph are paraphrases.
    """

    texts: tuple[str, ...]
    groups: tuple[int, ...]


def read_sentences(path: Path = SENTENCES) -> Sentences:
    """Reads a text file: one sentence per line, an empty line between groups of paraphrases, `#` before a comment."""
    texts, groups, group = [], [], 0
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            group += 1
        elif not line.startswith("#"):
            texts.append(line.strip())
            groups.append(group)
    return Sentences(tuple(texts), tuple(groups))


def tokenize(folder: Path, texts: tuple[str, ...]) -> list[list[int]]:
    """The token numbers of each text, by the tokenizer in `folder`, without padding."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    with reading(path, "a model's tokenizer.json"):
        tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
