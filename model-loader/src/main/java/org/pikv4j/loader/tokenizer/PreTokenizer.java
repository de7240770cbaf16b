package org.pikv4j.loader.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.pikv4j.loader.tokenizer.Part.Piece;

/** Splits text into the pieces that merges do not cross. One record for each type of the file format. */
sealed interface PreTokenizer {

    /**
     * @param piece normalized text, not empty
     * @return its pieces, in order, none of them empty
     */
    List<Piece> apply(Piece piece);

    /** Splits by a pattern; inverted, the pattern says what is kept and the rest are the delimiters. */
    record Split(TextPattern pattern, SplitBehavior behavior, boolean invert) implements PreTokenizer {
        @Override
        public List<Piece> apply(Piece piece) {
            List<Segment> segments = pattern.segments(piece.text());
            if (invert) {
                segments = segments.stream()
                        .map(s -> new Segment(s.start(), s.end(), !s.match()))
                        .toList();
            }
            return pieces(piece, behavior.apply(segments));
        }
    }

    /** Splits by the kind of single characters: digits, white space, punctuation. */
    record Characters(IntPredicate delimiter, SplitBehavior behavior) implements PreTokenizer {
        @Override
        public List<Piece> apply(Piece piece) {
            String text = piece.text();
            List<Segment> segments = new ArrayList<>();
            int previous = 0;
            for (int at = 0, next; at < text.length(); at = next) {
                int codePoint = text.codePointAt(at);
                next = at + Character.charCount(codePoint);
                if (delimiter.test(codePoint)) {
                    if (previous < at) {
                        segments.add(new Segment(previous, at, false));
                    }
                    segments.add(new Segment(at, next, true));
                    previous = next;
                }
            }
            if (previous < text.length()) {
                segments.add(new Segment(previous, text.length(), false));
            }
            return pieces(piece, behavior.apply(segments));
        }
    }

    /** GPT-2's: words with the blank before them, as bytes in the byte-level alphabet. */
    record ByteLevel(boolean addPrefixSpace, boolean useRegex) implements PreTokenizer {
        private static final Split WORDS = new Split(
                TextPattern.regex("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
                SplitBehavior.ISOLATED,
                false);

        @Override
        public List<Piece> apply(Piece piece) {
            Piece prefixed = addPrefixSpace && !piece.text().startsWith(" ")
                    ? new Piece(" " + piece.text(), piece.atStart())
                    : piece;
            List<Piece> words = useRegex ? WORDS.apply(prefixed) : List.of(prefixed);
            List<Piece> encoded = new ArrayList<>(words.size());
            for (Piece word : words) {
                encoded.add(new Piece(ByteAlphabet.encode(word.text()), word.atStart()));
            }
            return encoded;
        }
    }

    /** SentencePiece's: a visible character for the blank, and one in front. */
    record Metaspace(String replacement, PrependScheme prepend, boolean split) implements PreTokenizer {
        @Override
        public List<Piece> apply(Piece piece) {
            String text = piece.text().replace(" ", replacement);
            if (prepend.prepends(piece.atStart()) && !text.startsWith(replacement)) {
                text = replacement + text;
            }
            Piece marked = new Piece(text, piece.atStart());
            int mark = replacement.codePointAt(0);
            return split
                    ? new Characters(c -> c == mark, SplitBehavior.MERGED_WITH_NEXT).apply(marked)
                    : List.of(marked);
        }
    }

    /** Words and what is neither word nor white space, each by itself. */
    record Whitespace() implements PreTokenizer {
        private static final Split WORDS = new Split(
                TextPattern.regex("[" + CodePoints.RUST_WORD + "]+|[^" + CodePoints.RUST_WORD + "\\s]+"),
                SplitBehavior.REMOVED,
                true);

        @Override
        public List<Piece> apply(Piece piece) {
            return WORDS.apply(piece);
        }
    }

    /** One after the other. */
    record Sequence(List<PreTokenizer> preTokenizers) implements PreTokenizer {
        @Override
        public List<Piece> apply(Piece piece) {
            List<Piece> pieces = List.of(piece);
            for (PreTokenizer preTokenizer : preTokenizers) {
                List<Piece> finer = new ArrayList<>();
                for (Piece coarse : pieces) {
                    finer.addAll(preTokenizer.apply(coarse));
                }
                pieces = finer;
            }
            return pieces;
        }
    }

    /** Which pieces Metaspace puts its mark in front of. */
    enum PrependScheme {
        ALWAYS,
        FIRST,
        NEVER;

        boolean prepends(boolean atStart) {
            return this == ALWAYS || this == FIRST && atStart;
        }
    }

    private static List<Piece> pieces(Piece whole, List<Segment> segments) {
        List<Piece> pieces = new ArrayList<>(segments.size());
        for (Segment segment : segments) {
            if (segment.start() < segment.end()) {
                pieces.add(whole.slice(segment.start(), segment.end()));
            }
        }
        return pieces;
    }
}
