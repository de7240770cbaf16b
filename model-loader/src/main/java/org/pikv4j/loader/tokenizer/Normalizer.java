package org.pikv4j.loader.tokenizer;

import java.text.Normalizer.Form;
import java.util.List;
import java.util.Locale;
import org.pikv4j.loader.tokenizer.Part.Piece;

/** Rewrites text before it is split. One record for each type of the file format, under its name there. */
sealed interface Normalizer {

    /**
     * @param piece a piece of the input
     * @return its normal form, possibly empty
     */
    Piece apply(Piece piece);

    /** NFC, NFD, NFKC and NFKD. */
    record Unicode(Form form) implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            return new Piece(java.text.Normalizer.normalize(piece.text(), form), piece.atStart());
        }
    }

    /** Lower case, character by character: a final sigma is like any other. */
    record Lowercase() implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            StringBuilder lower = new StringBuilder(piece.text().length());
            piece.text().codePoints().forEach(c -> {
                if (c < 128) {
                    lower.append((char) Character.toLowerCase(c));
                } else {
                    lower.append(Character.toString(c).toLowerCase(Locale.ROOT));
                }
            });
            return new Piece(lower.toString(), piece.atStart());
        }
    }

    /** Removes white space at the ends. */
    record Strip(boolean left, boolean right) implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            String text = piece.text();
            int start = left ? CodePoints.endOfSpace(text, 0) : 0;
            int end = right ? CodePoints.startOfSpace(text, text.length()) : text.length();
            return start < end ? piece.slice(start, end) : new Piece("", false);
        }
    }

    /** Removes combining marks. */
    record StripAccents() implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            StringBuilder kept = new StringBuilder(piece.text().length());
            piece.text().codePoints().filter(c -> !CodePoints.isMark(c)).forEach(kept::appendCodePoint);
            boolean startKept =
                    !piece.text().isEmpty() && !CodePoints.isMark(piece.text().codePointAt(0));
            return new Piece(kept.toString(), piece.atStart() && startKept);
        }
    }

    /** Puts text in front of what is not empty. */
    record Prepend(String prefix) implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            return piece.text().isEmpty() ? piece : new Piece(prefix + piece.text(), piece.atStart());
        }
    }

    /** Replaces what a pattern matches. */
    record Replace(Replacement replacement) implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            String text = piece.text();
            List<Segment> segments = replacement.pattern().segments(text);
            boolean atStart = piece.atStart() && !segments.isEmpty() && !movesStart(text, segments.getFirst());
            return new Piece(replacement.apply(text, segments), atStart);
        }

        /** Whether what now comes first stood further on: what replaces a match stands at its last character. */
        private boolean movesStart(String text, Segment first) {
            int length = text.codePointCount(first.start(), first.end());
            return first.match() && length > (replacement.content().isEmpty() ? 0 : 1);
        }
    }

    /** The bytes of the text in the byte-level alphabet. */
    record ByteLevel() implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            return new Piece(ByteAlphabet.encode(piece.text()), piece.atStart());
        }
    }

    /** One after the other. */
    record Sequence(List<Normalizer> normalizers) implements Normalizer {
        @Override
        public Piece apply(Piece piece) {
            Piece result = piece;
            for (Normalizer normalizer : normalizers) {
                result = normalizer.apply(result);
            }
            return result;
        }
    }
}
