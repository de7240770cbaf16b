package org.pikv4j.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class SamplerTest {

    private static GenerationOptions options(float temperature, int topK, float topP, float minP, float penalty) {
        return new GenerationOptions(
                1, temperature, topK, topP, minP, penalty, OptionalLong.empty(), List.of(), Set.of());
    }

    /** The distribution that the options describe, step by step over full lists. */
    private static Map<Integer, Double> expected(float[] logits, Set<Integer> seen, GenerationOptions options) {
        List<Integer> order = new ArrayList<>();
        double[] scores = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            double logit = logits[i];
            if (seen.contains(i)) {
                logit = logit > 0 ? logit / options.repetitionPenalty() : logit * options.repetitionPenalty();
            }
            scores[i] = logit / options.temperature();
            order.add(i);
        }
        order.sort(Comparator.comparingDouble((Integer i) -> -scores[i]).thenComparing(i -> i));
        if (options.topK() > 0) {
            order.subList(Math.min(options.topK(), order.size()), order.size()).clear();
        }
        double max = scores[order.getFirst()];
        double total =
                order.stream().mapToDouble(i -> Math.exp(scores[i] - max)).sum();
        Map<Integer, Double> kept = new HashMap<>();
        double mass = 0;
        for (int i : order) {
            double weight = Math.exp(scores[i] - max);
            if (!kept.isEmpty() && (mass >= options.topP() * total || weight < options.minP())) {
                break;
            }
            kept.put(i, weight);
            mass += weight;
        }
        double sum = mass;
        kept.replaceAll((i, weight) -> weight / sum);
        return kept;
    }

    @Test
    void drawsFromTheDistributionThatTheOptionsDescribe() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 40; round++) {
            int vocabulary = 2 + random.nextInt(2000);
            float[] logits = TestSeeds.normal(random, vocabulary);
            for (int i = 0; i < vocabulary; i++) {
                logits[i] *= 3;
            }
            GenerationOptions options = options(
                    0.2f + random.nextInt(20) / 10f,
                    random.nextBoolean() ? 0 : 1 + random.nextInt(40),
                    random.nextBoolean() ? 1f : 0.05f + 0.9f * (float) random.nextDouble(),
                    random.nextBoolean() ? 0f : 0.3f * (float) random.nextDouble(),
                    random.nextBoolean() ? 1f : 1.5f);
            Sampler sampler = new Sampler(options, seed + round);
            Map<Integer, Double> expected = expected(logits, Set.of(0, 1), options);
            int draws = 1_500;
            Map<Integer, Integer> counts = new HashMap<>();
            for (int i = 0; i < draws; i++) {
                Sampler fresh = new Sampler(options, seed * 31 + i);
                fresh.see(0);
                fresh.see(1);
                counts.merge(fresh.sample(logits.clone(), 0, vocabulary), 1, Integer::sum);
            }
            String message = TestSeeds.repeat(seed) + ", round " + round + ", " + options;
            assertThat(expected.keySet()).as(message).containsAll(counts.keySet());
            expected.forEach((token, probability) -> assertThat(counts.getOrDefault(token, 0) / (double) draws)
                    .as(message)
                    .isCloseTo(probability, within(6 * Math.sqrt(probability * (1 - probability) / draws) + 2e-3)));
            sampler.see(0);
        }
    }

    @Test
    void temperatureZeroTakesTheLikeliestAndTheLowerIdAmongEquals() {
        Sampler sampler = new Sampler(options(0f, 0, 1f, 0f, 1f), 1);
        assertThat(sampler.sample(new float[] {9, 1, 5, 5, 2}, 1, 4)).isEqualTo(1);
    }

    @Test
    void equalSeedsDrawEqualTokens() {
        GenerationOptions options = options(1f, 0, 1f, 0f, 1f);
        float[] logits = TestSeeds.normal(new SplittableRandom(7), 100);
        Sampler one = new Sampler(options, 42);
        Sampler two = new Sampler(options, 42);
        for (int i = 0; i < 50; i++) {
            assertThat(one.sample(logits.clone(), 0, 100)).isEqualTo(two.sample(logits.clone(), 0, 100));
        }
    }
}
