package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What has been measured on one file; any thread may add to it. */
final class Results {
    private final Map<Condition, TreeMap<Integer, DocumentScore>> scores = new HashMap<>();
    private final Map<Condition, Long> peaks = new HashMap<>();
    private final Map<Condition, Questioning.Kept> examples = new HashMap<>();

    /**
     * @param condition what was measured
     * @param index of which document
     * @param score what came of it
     * @param kept what was kept; shown of the first document
     */
    synchronized void add(Condition condition, int index, DocumentScore score, Questioning.Kept kept) {
        scores.computeIfAbsent(condition, c -> new TreeMap<>()).put(index, score);
        if (index == 0) {
            examples.put(condition, kept);
        }
    }

    /**
     * @param condition what was measured
     * @param bytes the most that the cache held
     */
    synchronized void peak(Condition condition, long bytes) {
        peaks.merge(condition, bytes, Math::max);
    }

    /**
     * @return what was measured under a condition, by document; empty where nothing was
     */
    synchronized List<DocumentScore> scores(Condition condition) {
        return new ArrayList<>(scores.getOrDefault(condition, new TreeMap<>()).values());
    }

    synchronized long peak(Condition condition) {
        return peaks.getOrDefault(condition, 0L);
    }

    /**
     * @return what was kept of the first document
     */
    synchronized Optional<Questioning.Kept> example(Condition condition) {
        return Optional.ofNullable(examples.get(condition));
    }
}
