package org.pikv4j.loader.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** What becomes of the delimiters when a text is split. For {@code -} and {@code the-final--countdown}: */
enum SplitBehavior {
    /** {@code the, final, countdown}. */
    REMOVED,
    /** {@code the, -, final, -, -, countdown}. */
    ISOLATED,
    /** {@code the-, final-, -, countdown}. */
    MERGED_WITH_PREVIOUS,
    /** {@code the, -final, -, -countdown}. */
    MERGED_WITH_NEXT,
    /** {@code the, -, final, --, countdown}. */
    CONTIGUOUS;

    /**
     * @param segments what covers a text, the matches being the delimiters
     * @return the pieces to keep, in order; the flag of a piece says nothing any more
     */
    List<Segment> apply(List<Segment> segments) {
        return switch (this) {
            case ISOLATED -> segments;
            case REMOVED -> segments.stream().filter(s -> !s.match()).toList();
            case CONTIGUOUS -> fold(segments, (match, previous) -> match == previous);
            case MERGED_WITH_PREVIOUS -> fold(segments, (match, previous) -> match && !previous);
            case MERGED_WITH_NEXT ->
                fold(segments.reversed(), (match, previous) -> match && !previous)
                        .reversed();
        };
    }

    private interface Joins {
        boolean test(boolean match, boolean previousMatch);
    }

    /** Joins a segment to the one before it where the rule says so; the order of the segments may be reversed. */
    private static List<Segment> fold(List<Segment> segments, Joins joins) {
        List<Segment> pieces = new ArrayList<>();
        boolean previousMatch = false;
        for (Segment segment : segments) {
            if (joins.test(segment.match(), previousMatch) && !pieces.isEmpty()) {
                Segment last = pieces.removeLast();
                pieces.add(new Segment(
                        Math.min(last.start(), segment.start()), Math.max(last.end(), segment.end()), last.match()));
            } else {
                pieces.add(segment);
            }
            previousMatch = segment.match();
        }
        return pieces;
    }
}
