"""Trains the small tokenizers beside this file, one in the style of each family, with Hugging Face tokenizers 0.23.

    pip install tokenizers && python make_tokenizers.py

recall-moe.json is not made here: it is the tokenizer of the demo model.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent

CORPUS = """
The quick brown fox jumps over the lazy dog, and the dog doesn't mind; it's asleep. We've seen 12,345 foxes since 1998.
A mixture of experts keeps many feed-forward networks and sends each token to a few of them. The router's weights decide.
I'll say that they'd rather not, you're right, I'm sure; SHE'S HERE AND THEY'VE GONE. "Quotes" (and brackets) [too] {yes}!
for (int i = 0; i < 10; i++) {\n    if (a[i] >= b.c()) {\n\treturn x * 3.14159e-7;\n    }\n}\r\n\r\n// a comment   with   spaces
def attend(query, keys, values):\n    \"\"\"Weighted mean.\"\"\"\n    return softmax(query @ keys.T / sqrt(d)) @ values\n\n\n
Größe, Übermut, naïve café, ça va? El niño comió piñas en la montaña. Łódź, źródło, žluťoučký kůň. Crème brûlée. Ångström.
Быстрая лиса прыгает через ленивую собаку. Съешь ещё этих мягких французских булок. Ελληνικά: η γρήγορη αλεπού.
敏捷的棕色狐狸跳过了懒狗。注意力机制把键和值放进缓存。東京は日本の首都です。キャッシュの管理は大切だ。한국어 문장도 있습니다.
مرحبا بالعالم، كيف حالك؟ שלום עולם. हिन्दी में नमस्ते दुनिया। สวัสดีชาวโลก. 👋🌍 😀😃 👩‍👩‍👧‍👦 🇩🇪 ✨ ∑∫√≤≥ → ← ½ ² ³ № ™ €100 £5
""".splitlines()

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = "|".join([
    r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
    r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
    r"""\p{N}{1,3}""",
    r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
    r"""\s*[\r\n]+""",
    r"""\s+(?!\S)""",
    r"""\s+""",
])
DEEPSEEK_WORDS = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"""
    r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
)


def special(text, **options):
    return AddedToken(text, special=True, normalized=False, **options)


def split(regex):
    return pre_tokenizers.Split(Regex(regex), "isolated")


def byte_level(**options):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, **options)


def save(name, tokenizer, edit=lambda data: None):
    data = json.loads(tokenizer.to_str())
    edit(data)
    (HERE / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False) + "\n", encoding="utf-8")


def train_bytes(pre_tokenizer, added=(), words=(), normalizer=None, **model):
    """A byte-level tokenizer; no merge leads to the given words, only ignore_merges can find them."""
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        CORPUS, trainers.BpeTrainer(
            vocab_size=800, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    data = json.loads(tokenizer.to_str())
    for word in words:
        data["model"]["vocab"].setdefault(word, len(data["model"]["vocab"]))
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_tokens(list(added))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def template(token, tokenizer, before=True):
    single = f"{token} $A" if before else f"$A {token}"
    return processors.TemplateProcessing(single=single, pair=f"{token} $A {token} $B",
                                         special_tokens=[(token, tokenizer.token_to_id(token))])


def old_merges(data):
    data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]


def train_sentencepiece(size=900):
    """The pieces of a SentencePiece BPE: <unk> <s> </s>, 256 bytes, then characters and merges over text with U+2581."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=size - 259, limit_alphabet=180, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + sorted(model["vocab"], key=model["vocab"].get)
    tokenizer = Tokenizer(models.BPE(
        vocab={piece: i for i, piece in enumerate(pieces)}, merges=[tuple(merge) for merge in model["merges"]],
        unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.add_tokens([special(text) for text in ("<unk>", "<s>", "</s>")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = template("<s>", tokenizer)
    return tokenizer


llama2 = train_sentencepiece()
llama2.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
save("llama2", llama2, old_merges)

mistral = train_sentencepiece()
mistral.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
mistral.add_tokens([special("[INST]"), special("[/INST]")])
save("mistral", mistral)

llama3 = train_bytes(
    pre_tokenizers.Sequence([split(LLAMA3), byte_level(use_regex=False)]),
    [special(text) for text in ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")],
    words=("Ġasleep", "Ġmontaña", "Ġrouter", "123", "éé", "Ġ"*9), ignore_merges=True)
llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template("<|begin_of_text|>", llama3)])

save("llama3", llama3)

save("qwen3", train_bytes(
    pre_tokenizers.Sequence([split(QWEN2), byte_level(use_regex=False)]),
    [special(text) for text in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")]
    + [AddedToken(text, special=False, normalized=False) for text in ("<tool_call>", "</tool_call>", "<think>", "</think>")],
    normalizer=normalizers.NFC()), old_merges)

save("olmoe", train_bytes(
    byte_level(use_regex=True),
    [special("<|endoftext|>"), special("<|padding|>"), special("|||IP_ADDRESS|||")]
    + [AddedToken(" " * n, special=False, normalized=True) for n in range(12, 1, -1)],
    normalizer=normalizers.NFC()), old_merges)

save("gpt2", train_bytes(
    pre_tokenizers.ByteLevel(add_prefix_space=True), [AddedToken("<|endoftext|>", special=True, normalized=True)]), old_merges)

gpt_oss = train_bytes(
    pre_tokenizers.Sequence([split(O200K), byte_level(use_regex=False)]),
    [special(text) for text in ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|return|>")], ignore_merges=True)
save("gpt-oss", gpt_oss)

deepseek = train_bytes(
    pre_tokenizers.Sequence([
        split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK_WORDS), byte_level(use_regex=False)]),
    [special(text) for text in ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>")]
    + [AddedToken(text, special=False, normalized=True) for text in ("<｜User｜>", "<｜Assistant｜>")],
    normalizer=normalizers.Sequence([]))
deepseek.post_processor = template("<｜begin▁of▁sentence｜>", deepseek)
save("deepseek-v3", deepseek)
