package org.pikv4j.loader.tokenizer;

import java.util.List;
import java.util.Random;

/** Strings that tokenizers find hard: white space of all kinds, marks, emoji sequences, half-spelled tokens, bytes. */
final class RandomText {
    private static final List<String> FRAGMENTS = List.of(
            "the",
            " quick",
            " brown",
            "fox",
            " don't",
            " WE'VE",
            "'ll",
            "'S",
            "'ſ",
            "’s",
            " I'm",
            "it's",
            "they'd",
            "def f(x):\n    return x",
            "{}",
            "//",
            "/* */\r\n",
            " != ",
            "->",
            "...",
            "!!!",
            "?!",
            "123",
            " 4567",
            "3.14",
            "1,000,000",
            "０１２",
            "٣٤",
            "½",
            "²³¹",
            "Ⅻ",
            "①",
            "größe",
            " Über",
            "naïve",
            "cafe\u0301",
            "İstanbul",
            "ΣΊΣΥΦΟΣ",
            "ﬁn",
            "ǅ",
            "ß",
            "Быстрая",
            " лиса",
            "ё",
            "ελληνικά",
            "漢字",
            "敏捷的",
            "東京は",
            "カタカナ",
            "한국어",
            "한",
            "مرحبا",
            " שלום",
            "हिन्दी",
            "สวัสดี",
            "👋",
            "👩‍👩‍👧‍👦",
            "🇩🇪",
            "👍🏽",
            "☃️",
            "✨",
            "∑∫√",
            "→",
            "€",
            "£5",
            "№",
            "▁",
            "▁▁",
            "Ġ",
            "ĠĠ",
            "Ċ",
            "<0x41>",
            "<0xE2>",
            "</w>",
            "<s>",
            "<unk>",
            "</s>",
            "<|im_start|>",
            "<|im_end",
            "[INST]",
            "<|endoftext|>",
            "<tool_call>",
            "<｜User｜>",
            "\0",
            "\u0001",
            "\u007f",
            "\u0085",
            "\u00a0",
            "\u00ad",
            "\u200b",
            "\u200d",
            "\u2028",
            "\u3000",
            "\ufeff",
            "\ufffd",
            "\ue000",
            "\udbff\udffd",
            "\u0301",
            "\u0323\u0307");

    private static final String SPACES = " \t\n\r\u000b\f\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000";

    /** Ranges of characters that all versions of Unicode in question know, tables older than Java's included. */
    private static final int[][] RANGES = {
        {0x20, 0x7e},
        {0x20, 0x7e},
        {0, 0x17f},
        {0x250, 0x2ad},
        {0x300, 0x341},
        {0x391, 0x3a1},
        {0x400, 0x45f},
        {0x5d0, 0x5ea},
        {0x621, 0x652},
        {0x905, 0x939},
        {0xe01, 0xe3a},
        {0x1100, 0x11ff},
        {0x1e00, 0x1eff},
        {0x2010, 0x2027},
        {0x2030, 0x205e},
        {0x2153, 0x2182},
        {0x2190, 0x21ff},
        {0x2460, 0x249b},
        {0x3041, 0x3096},
        {0x30a1, 0x30fe},
        {0x4e00, 0x9fa5},
        {0xac00, 0xd7a3},
        {0xf900, 0xfa0d},
        {0xfb00, 0xfb06},
        {0xff01, 0xff9f},
        {0x10400, 0x1044f},
        {0x1d400, 0x1d454},
        {0x1f600, 0x1f64f},
        {0x20000, 0x2a6d6},
        {0x2f800, 0x2fa1d},
    };

    private final Random random;
    private final List<String> tokens;

    /**
     * @param seed makes the sequence repeatable
     * @param tokens tokens to strew in
     */
    RandomText(long seed, List<String> tokens) {
        this.random = new Random(seed);
        this.tokens = tokens;
    }

    Random random() {
        return random;
    }

    /**
     * @return the next string, mostly short
     */
    String next() {
        StringBuilder text = new StringBuilder();
        int parts = random.nextInt(100) == 0 ? random.nextInt(200) : random.nextInt(14);
        for (int i = 0; i < parts; i++) {
            part(text);
        }
        return text.toString();
    }

    private void part(StringBuilder text) {
        switch (random.nextInt(10)) {
            case 0, 1, 2 -> text.append(pick(FRAGMENTS));
            case 3 -> text.append(pick(FRAGMENTS).repeat(1 + random.nextInt(4)));
            case 4 -> text.append(" ".repeat(1 + random.nextInt(5)));
            case 5 -> text.append(SPACES.charAt(random.nextInt(SPACES.length())));
            case 6 -> text.append(pick(tokens));
            case 7 -> {
                String token = pick(tokens);
                text.append(token, 0, random.nextInt(token.length() + 1));
            }
            default -> {
                int[] range = RANGES[random.nextInt(RANGES.length)];
                for (int n = random.nextInt(4); n >= 0; n--) {
                    text.appendCodePoint(range[0] + random.nextInt(range[1] - range[0] + 1));
                }
            }
        }
        // A cut may split a pair: the rest of it is dropped, for what half a pair means is this project's own affair.
        while (!text.isEmpty() && Character.isHighSurrogate(text.charAt(text.length() - 1))) {
            text.setLength(text.length() - 1);
        }
    }

    private String pick(List<String> from) {
        return from.get(random.nextInt(from.size()));
    }
}
