package org.pikv4j.loader.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Byte-pair encoding: the characters of a piece are looked up as tokens, then pairs of tokens merge in the order that
 * training found.
 *
 * <p>Sources: Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units" (ACL 2016); the
 * details are those of {@code models/bpe} in Hugging Face tokenizers, oddities included: a pending unknown token is
 * written after the bytes of characters that follow it.
 */
final class BytePairModel {
    /** Words come again and again; what is longer hardly does. The cache is emptied when it is full. */
    private static final int CACHED_WORDS = 10_000;

    private static final int LONGEST_CACHED_WORD = 64;

    private static final HexFormat HEXADECIMAL = HexFormat.of().withUpperCase();

    /**
     * @param unknownToken what stands for characters without a token; without it they vanish
     * @param continuingPrefix put in front of every character of a piece but the first
     * @param endSuffix put behind the last character of a piece
     * @param fuseUnknown whether unknown characters in a row become one unknown token
     * @param byteFallback whether an unknown character becomes the tokens of its bytes, {@code <0xE2>} and so on
     * @param ignoreMerges whether a piece that is a token as a whole becomes that token, reachable by merges or not
     */
    record Options(
            Optional<String> unknownToken,
            String continuingPrefix,
            String endSuffix,
            boolean fuseUnknown,
            boolean byteFallback,
            boolean ignoreMerges) {}

    private final Vocabulary vocabulary;
    private final MergeTable merges;
    private final Options options;
    private final int[] byteTokens = new int[256];
    private final ConcurrentHashMap<String, int[]> cache = new ConcurrentHashMap<>();

    BytePairModel(Vocabulary vocabulary, MergeTable merges, Options options) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.options = options;
        Arrays.setAll(byteTokens, b -> vocabulary.id("<0x" + HEXADECIMAL.toHexDigits((byte) b) + ">"));
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    /**
     * @param piece a piece of normalized text
     * @param out receives its ids
     */
    void encode(String piece, IntList out) {
        if (options.ignoreMerges) {
            int id = vocabulary.id(piece);
            if (id >= 0) {
                out.add(id);
                return;
            }
        }
        if (piece.length() > LONGEST_CACHED_WORD) {
            merge(piece, out);
            return;
        }
        int[] known = cache.get(piece);
        if (known != null) {
            out.addAll(known);
            return;
        }
        int start = out.size();
        merge(piece, out);
        if (cache.mappingCount() >= CACHED_WORDS) {
            cache.clear();
        }
        cache.put(piece, out.from(start));
    }

    private void merge(String piece, IntList out) {
        Symbols symbols = new Symbols(piece.length());
        boolean unknownPending = false;
        for (int at = 0, after; at < piece.length(); at = after) {
            int codePoint = piece.codePointAt(at);
            after = at + Character.charCount(codePoint);
            String affixed = affixed(codePoint, at == 0, after == piece.length());
            int id = affixed == null ? vocabulary.id(codePoint) : vocabulary.id(affixed);
            if (id >= 0) {
                if (unknownPending) {
                    symbols.add(unknownId());
                    unknownPending = false;
                }
                symbols.add(id);
            } else if (!addBytes(affixed == null ? Character.toString(codePoint) : affixed, symbols)
                    && options.unknownToken.isPresent()) {
                if (unknownPending && !options.fuseUnknown) {
                    symbols.add(unknownId());
                }
                unknownPending = true;
            }
        }
        if (unknownPending) {
            symbols.add(unknownId());
        }
        symbols.merge(merges, out);
    }

    /** The character with the prefix and suffix that its place asks for, or null where it stands alone. */
    private @Nullable String affixed(int codePoint, boolean first, boolean last) {
        String prefix = first ? "" : options.continuingPrefix;
        String suffix = last ? options.endSuffix : "";
        return prefix.isEmpty() && suffix.isEmpty() ? null : prefix + Character.toString(codePoint) + suffix;
    }

    private boolean addBytes(String unknown, Symbols symbols) {
        if (!options.byteFallback) {
            return false;
        }
        byte[] bytes = unknown.getBytes(StandardCharsets.UTF_8);
        for (byte b : bytes) {
            if (byteTokens[b & 0xFF] < 0) {
                return false;
            }
        }
        for (byte b : bytes) {
            symbols.add(byteTokens[b & 0xFF]);
        }
        return true;
    }

    private int unknownId() {
        String token = options.unknownToken.orElseThrow();
        int id = vocabulary.id(token);
        if (id < 0) {
            throw new TokenizerDefectException(
                    "model.unk_token " + token + " is needed for this text and not in model.vocab");
        }
        return id;
    }
}
