"""The project's sentences and their tokens."""

from pathlib import Path

from amxfp4.accuracy.sentences import read_sentences, tokenize


def test_groups_are_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "sentences.txt"
    path.write_text("# a comment\n\nOne.\nEins.\n\nTwo.\n# another\nZwei.\n\nThree.\n")
    sentences = read_sentences(path)
    assert sentences.texts == ("One.", "Eins.", "Two.", "Zwei.", "Three.")
    a, b, c = sentences.groups[0], sentences.groups[2], sentences.groups[4]
    assert sentences.groups == (a, a, b, b, c)
    assert len({a, b, c}) == 3


def test_there_are_a_few_hundred_all_different() -> None:
    sentences = read_sentences()
    assert len(sentences.texts) > 200
    assert len(set(sentences.texts)) == len(sentences.texts) == len(sentences.groups)
    assert sum(sentences.groups.count(group) > 1 for group in sentences.groups) > 100


def test_tokens_without_padding(folder: Path) -> None:
    texts = read_sentences().texts[:2]
    first, second = tokenize(folder, texts)
    assert len(first) != len(second)
    assert tokenize(folder, texts[1:]) == [second]
    (long,) = tokenize(folder, ("word " * 300,))
    assert len(long) == 256
