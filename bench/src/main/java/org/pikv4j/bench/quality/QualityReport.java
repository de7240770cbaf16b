package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.pikv4j.bench.Interval;
import org.pikv4j.bench.Machine;

/**
 * What was measured, and how.
 *
 * @param machine where
 * @param backend what computed
 * @param model the model's directory, or what the demo model is called
 * @param kvDtype how rows were cached
 * @param pageTokens tokens per page
 * @param prefillChunk tokens of a prompt read at once
 * @param sessions documents worked on at once
 * @param seed of the intervals of means
 * @param budgets shares of the tokens
 * @param measurements what came of each condition
 */
record QualityReport(
        Machine machine,
        String backend,
        String model,
        String kvDtype,
        int pageTokens,
        int prefillChunk,
        int sessions,
        long seed,
        List<Double> budgets,
        List<Measurement> measurements) {

    /**
     * A mean over documents.
     *
     * @param mean the mean
     * @param low lower end of its 95% interval
     * @param high upper end
     */
    record Estimate(double mean, double low, double high) {}

    /**
     * What came of one condition.
     *
     * @param file name of the evaluation file
     * @param mode when tokens were forgotten
     * @param policy what chose them
     * @param budget share of the tokens that should stay, or be read
     * @param documents documents
     * @param questions questions in all
     * @param right right answers
     * @param recall the share of right answers, with Wilson's interval
     * @param hitRate share of (step, layer, KV head) whose top token under the exact softmax was still there
     * @param attentionMass the exact softmax's mass on the tokens that were there
     * @param divergence KL of the next-token distribution from the exact cache's, in nats
     * @param tokensRead share of the tokens that steps attended to
     * @param tokensKept share of the tokens that were kept in each layer and KV head, before the questions
     * @param keptBytes bytes of a session's pages then, mean over documents
     * @param peakBytes the most that the cache held, all sessions at once and their forks
     * @param decodeTokensPerSecond of one answer among those under way, the median
     */
    record Measurement(
            String file,
            String mode,
            String policy,
            double budget,
            int documents,
            int questions,
            int right,
            Estimate recall,
            Estimate hitRate,
            Estimate attentionMass,
            Estimate divergence,
            Estimate tokensRead,
            Estimate tokensKept,
            double keptBytes,
            long peakBytes,
            double decodeTokensPerSecond) {

        static Measurement of(String file, Condition condition, List<DocumentScore> scores, long peak, long seed) {
            int right = scores.stream().mapToInt(DocumentScore::right).sum();
            int questions = scores.stream().mapToInt(DocumentScore::questions).sum();
            Interval recall = Interval.ofShare(right, questions);
            return new Measurement(
                    file,
                    condition.mode().label(),
                    condition.policy(),
                    condition.share(),
                    scores.size(),
                    questions,
                    right,
                    new Estimate((double) right / questions, recall.low(), recall.high()),
                    estimate(scores, DocumentScore::hitRate, seed),
                    estimate(scores, DocumentScore::mass, seed),
                    estimate(scores, DocumentScore::divergence, seed),
                    estimate(scores, DocumentScore::read, seed),
                    estimate(scores, DocumentScore::tokensKept, seed),
                    scores.stream()
                            .mapToLong(DocumentScore::keptBytes)
                            .average()
                            .orElseThrow(),
                    peak,
                    median(scores.stream()
                            .flatMap(score -> score.decodeRates().stream())
                            .toList()));
        }

        private static Estimate estimate(List<DocumentScore> scores, ToDoubleFunction<DocumentScore> value, long seed) {
            double[] values = scores.stream().mapToDouble(value).toArray();
            Interval interval = Interval.ofMean(values, seed);
            return new Estimate(Arrays.stream(values).average().orElseThrow(), interval.low(), interval.high());
        }

        private static double median(List<Double> values) {
            double[] sorted =
                    values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            return sorted.length == 0 ? 0 : sorted[sorted.length / 2];
        }
    }

    /**
     * @return the measurements of one file and mode, in the order in which they were planned
     */
    static List<Measurement> measurements(String file, List<Condition> conditions, Results results, long seed) {
        List<Measurement> measurements = new ArrayList<>();
        for (Condition condition : conditions) {
            measurements.add(Measurement.of(file, condition, results.scores(condition), results.peak(condition), seed));
        }
        return measurements;
    }
}
