package org.pikv4j.loader.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A pattern of a tokenizer that cuts a text into matches and what lies between them.
 *
 * <p>Patterns come from files and texts from users, so neither may bring the process down. A match may read each
 * character a bounded number of times, which ends catastrophic backtracking. Java's matcher recurses for each turn of
 * a loop over alternatives, as in {@code (?:\r\n|\n)+}; where the stack ends, the text is matched again on a thread
 * with a large one. No pattern of the known families needs that.
 */
final class TextPattern {
    /** Any split of ordinary text reads a character a few times; Oniguruma too gives up at ten million steps. */
    private static final long READS_PER_CHARACTER = 1_000;

    private static final long LEAST_READS = 10_000_000;

    /** Reserved, not used, unless the recursion goes so deep: about 200 bytes a turn. */
    private static final long DEEP_STACK_BYTES = 1L << 30;

    /** Longer than any known pattern; with the bounded nesting it bounds the recursion of Java's compiler. */
    private static final int MAX_LENGTH = 10_000;

    private final Pattern pattern;

    private TextPattern(Pattern pattern) {
        this.pattern = pattern;
    }

    /**
     * @param regex in Oniguruma's syntax
     * @return the pattern
     * @throws TokenizerDefectException if it is malformed or not supported
     */
    static TextPattern regex(String regex) {
        if (regex.length() > MAX_LENGTH) {
            throw new TokenizerDefectException("longer than " + MAX_LENGTH + " characters");
        }
        try {
            return new TextPattern(Pattern.compile(OnigurumaSyntax.toJava(regex)));
        } catch (IllegalArgumentException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new TokenizerDefectException("not a valid pattern: " + reason, e);
        } catch (StackOverflowError e) {
            throw new TokenizerDefectException("too complex", e);
        }
    }

    /**
     * @param text what to look for, as it stands
     * @return the pattern
     */
    static TextPattern literal(String text) {
        return new TextPattern(Pattern.compile(text, Pattern.LITERAL));
    }

    /**
     * @param text a text
     * @return segments that cover it, in order; an empty match is an empty segment
     * @throws TokenizerDefectException if the matching takes too many steps
     */
    List<Segment> segments(String text) {
        try {
            return scan(text);
        } catch (StackOverflowError e) {
            return scanOnDeepStack(text);
        }
    }

    private List<Segment> scan(String text) {
        Matcher matcher = pattern.matcher(new BoundedText(text));
        List<Segment> segments = new ArrayList<>();
        int previous = 0;
        boolean first = true;
        while (matcher.find()) {
            int start = matcher.start();
            int end = matcher.end();
            if (start == end && (!first && start == previous || insidePair(text, start))) {
                // Oniguruma's iterator takes no empty match right behind a match.
                continue;
            }
            if (previous < start) {
                segments.add(new Segment(previous, start, false));
            }
            segments.add(new Segment(start, end, true));
            previous = end;
            first = false;
        }
        if (previous < text.length()) {
            segments.add(new Segment(previous, text.length(), false));
        }
        return segments;
    }

    private static boolean insidePair(String text, int index) {
        return index > 0
                && index < text.length()
                && Character.isLowSurrogate(text.charAt(index))
                && Character.isHighSurrogate(text.charAt(index - 1));
    }

    private List<Segment> scanOnDeepStack(String text) {
        FutureTask<List<Segment>> task = new FutureTask<>(() -> scan(text));
        Thread thread = new Thread(null, task, "pikv-pattern", DEEP_STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    // The bounded number of steps bounds the wait.
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TokenizerDefectException failure) {
                throw failure;
            }
            throw new TokenizerDefectException("recurses too deep on this text", e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A text that may be read a limited number of times. */
    private static final class BoundedText implements CharSequence {
        private final String text;
        private long readsLeft;

        BoundedText(String text) {
            this.text = text;
            this.readsLeft = LEAST_READS + READS_PER_CHARACTER * text.length();
        }

        @Override
        public char charAt(int index) {
            if (--readsLeft < 0) {
                throw new TokenizerDefectException("takes too many steps on this text");
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.substring(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
