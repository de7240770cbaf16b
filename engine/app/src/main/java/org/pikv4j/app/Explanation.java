package org.pikv4j.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.pikv4j.cache.control.Decision;
import org.pikv4j.cache.control.Decisions;
import org.pikv4j.cache.control.KeptPages;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import org.pikv4j.text.Plural;

/**
 * What {@code --kv auto} did, and why.
 *
 * @param decisions what was shrunk and dropped
 * @param kept what the session still has
 */
record Explanation(Decisions decisions, List<KeptPages> kept) {

    /**
     * @param engine an engine under {@code --kv auto}
     * @param session one of its sessions
     */
    static Explanation of(Engine engine, Session session) {
        return new Explanation(engine.decisions().orElseThrow(), session.kept());
    }

    /**
     * @param length whether each decision is wanted
     * @return it for people: sums, what is kept, then each decision
     */
    List<String> lines(ExplanationLength length) {
        List<String> lines = new ArrayList<>();
        if (decisions.kinds().isEmpty()) {
            lines.add("kv auto: all of it fits, nothing was decided");
        } else {
            lines.add("kv auto: " + ByteSize.format(decisions.bytes())
                    + " freed; an error is the estimated change of a head's output,"
                    + " its norm, summed over tokens, by the query that looks at each most: of what was not read again so far"
                    + " that is the worst there can be");
        }
        for (Decisions.Sum sum : decisions.kinds()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  %-28s %13s, %10s freed, error %.2e%s",
                    sum.kind(),
                    Plural.of(sum.decisions(), "time"),
                    ByteSize.format(sum.bytes()),
                    sum.error(),
                    sum.dropped() > 0 ? ", " + Plural.of(sum.dropped(), "token") : ""));
        }
        lines.add("kept, by layer.head:");
        kept.forEach(pages -> lines.add(kept(pages)));
        if (length == ExplanationLength.SHORT) {
            return lines;
        }
        if (!decisions.latest().isEmpty()) {
            lines.add("decisions, the oldest first"
                    + (decisions.forgotten() > 0
                            ? " (" + Plural.of(decisions.forgotten(), "older one") + " in the sums alone):"
                            : ":"));
        }
        decisions.latest().forEach(decision -> lines.add(line(decision)));
        return lines;
    }

    private static String kept(KeptPages pages) {
        return String.format(
                Locale.ROOT,
                "  %d.%d %-14s %10s, %13s, %9s%s: %s",
                pages.layer(),
                pages.kvHead(),
                pages.form(),
                Plural.of(pages.pages(), "page"),
                Plural.of(pages.tokens(), "token"),
                ByteSize.format(pages.bytes()),
                pages.shard() < 0 ? "" : " on shard " + pages.shard(),
                pages.reason());
    }

    private static String line(Decision decision) {
        String place = decision.fromShard() == decision.toShard()
                ? ""
                : " from " + place(decision.fromShard()) + " to " + place(decision.toShard());
        String what =
                (decision.from().equals(decision.to()) ? "moved" : decision.from() + " -> " + decision.to()) + place;
        if (place.isEmpty() && decision.from().equals(decision.to())) {
            what = Plural.of(decision.dropped(), "token") + " dropped from " + decision.from();
        }
        return String.format(
                Locale.ROOT,
                "  %d.%d tokens %d-%d: %s, %s freed, error %.2e: %s",
                decision.layer(),
                decision.kvHead(),
                decision.first(),
                decision.last(),
                what,
                ByteSize.format(decision.bytes()),
                decision.error(),
                decision.reason());
    }

    private static String place(int shard) {
        return shard < 0 ? "the engine" : "shard " + shard;
    }
}
