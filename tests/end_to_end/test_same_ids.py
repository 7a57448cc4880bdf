"""prepare and scoring give a model the same ids for the same text."""

import json
import random
from pathlib import Path

from pipeline.config.loading import build_config
from pipeline.demo.corpus import generate_demo_corpus
from pipeline.stages.prepare import prepare
from pipeline.storage.beam_files import BeamFiles
from tests.end_to_end.same_ids import assert_same_ids
from tests.json_lines import write_json_lines

# Languages of the corpora and of the demo, and special cases that are common in corpora.
SAID = (
    *("Isn't it <br />odd, that we'd wait?", "WIN!! Send 4 to 80085 &lt;today&gt;"),
    *("A <e1>wheel</e1> of the <e2>cart</e2>", "@someone see http://example.com/a?b=c :)"),
    *("这个苹果很好吃，下次还买", "\ufeffＡＢＣ１２３ 全角", "これはペンです。カタカナ"),
    *("환불해 주세요 ㅋㅋ", "ขอบคุณมาก ราคา", "ຂອບໃຈ", "អរគុណ", "ကျေးဇူးတင်ပါတယ်"),
    *("مرحبا، أين طلبي؟", "שלום עולם", "Où est ma commande ? Ça va", "CAFE\u0301 naïve ﬁne"),
    *("Straße GROẞ İstanbul ΟΔΟΣ ς", "पैसे वापस करो", "Где мой заказ?", "😀👍🏽👨‍👩‍👧 ok"),
    *("a\x00b\u2028c\x85d\xa0e", "x" * 300, "١٢٣ ４５ 67", "\U0001f1e9\U0001f1ea 𝔘𝔫𝔦 𠮷野家"),
)


def test_ids_in_prepare_are_ids_in_scoring_byte_for_byte(tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311
    texts = {f"s{index}": text for index, text in enumerate(SAID)}
    for index in range(600):  # random characters, mixed with the texts above
        codes = [rng.randrange(1, 0x11_0000) for _ in range(rng.randint(1, 12))]
        strange = "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)
        texts[f"m{index}"] = " ".join([*rng.sample(SAID, 2), strange])
    generate_demo_corpus(tmp_path / "demo", documents=300)
    for path in sorted((tmp_path / "demo").glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                row = json.loads(line)
            except ValueError:  # a damaged row
                continue
            if isinstance(row.get("text"), str) and row["text"].strip():
                texts[f"{path.name}{row['id']}"] = row["text"]
    rows = (
        {"id": document_id, "text": text, "label": "ab"[index % 2]}
        for index, (document_id, text) in enumerate(texts.items())
    )
    corpus = write_json_lines(tmp_path / "corpus.jsonl", rows)
    config = build_config(
        {
            "workspace": str(tmp_path / "runs"),
            "corpus": {"inputs": [{"path": corpus}], "columns": {"id": "id"}},
            "text": {
                "max_tokens": 24,
                "vocabulary_size": 400,  # so that many tokens are unknown
                "oov_buckets": 7,
                "nfkc": True,
                "fold_digits": True,
                "drop_html": True,
                "protected": ["</?e[12]>", r"https?://\S+", r"@\w+"],
                "reserved_tokens": ["<e1>", "</e1>"],
                "cut": "head+tail",
            },
        },
        (),
        where="test",
    )
    dataset = prepare(config, beam_options=[], files=BeamFiles())
    assert_same_ids(dataset, config, texts)
