package org.pikv4j.bench.quality;

import java.util.List;
import java.util.stream.DoubleStream;

/**
 * What came of one document's questions under one condition.
 *
 * @param right right answers
 * @param questions all of them
 * @param hitRate mean over the questions
 * @param mass mean over the questions
 * @param read mean over the questions
 * @param divergence mean over the questions, of the mean KL over their steps
 * @param tokensKept share of the tokens that each layer and KV head kept, on average
 * @param keptBytes bytes of the session that the questions were put to
 * @param decodeRates tokens per second of each answer of more than a token
 */
record DocumentScore(
        int right,
        int questions,
        double hitRate,
        double mass,
        double read,
        double divergence,
        double tokensKept,
        long keptBytes,
        List<Double> decodeRates) {

    static DocumentScore of(List<Questioning.Answer> answers, Questioning.Kept kept) {
        return new DocumentScore(
                (int) answers.stream().filter(Questioning.Answer::right).count(),
                answers.size(),
                mean(answers.stream().mapToDouble(answer -> answer.attention().hitRate())),
                mean(answers.stream().mapToDouble(answer -> answer.attention().mass())),
                mean(answers.stream().mapToDouble(answer -> answer.attention().read())),
                mean(answers.stream().mapToDouble(Questioning.Answer::divergence)),
                kept.share(),
                kept.bytes(),
                answers.stream()
                        .map(Questioning.Answer::decodeRate)
                        .filter(rate -> rate > 0)
                        .toList());
    }

    private static double mean(DoubleStream values) {
        return values.average().orElse(0);
    }
}
