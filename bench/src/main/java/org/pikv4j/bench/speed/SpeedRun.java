package org.pikv4j.bench.speed;

import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;

/** Times prompts and decoding of one engine, after a warm-up that lets the compiler finish. */
final class SpeedRun {
    private static final GenerationOptions GREEDY =
            new GenerationOptions(1, 0f, 0, 1f, 0f, 1f, OptionalLong.empty(), List.of(), Set.of());

    /** So long that a compressed cache holds pages in their sealed form. */
    private static final int SEALED_TOKENS = 768;

    private final Engine engine;
    private final int repeats;
    private final SplittableRandom random = new SplittableRandom(1);

    SpeedRun(Engine engine, int repeats) {
        this.engine = engine;
        this.repeats = repeats;
    }

    void warmUp(int promptTokens, int decodeTokens) {
        for (int i = 0; i < 3; i++) {
            prompt(promptTokens);
            try (Session session = engine.openSession()) {
                session.read(ids(Math.min(SEALED_TOKENS, engine.model().config().maxPositions() - decodeTokens - 1)));
                decode(session, decodeTokens);
            }
        }
    }

    /** Prompt tokens per second, into an empty cache. */
    Spread prompts(int tokens) {
        double[] rates = new double[repeats];
        for (int i = 0; i < repeats; i++) {
            rates[i] = prompt(tokens);
        }
        return Spread.of(rates);
    }

    private double prompt(int tokens) {
        try (Session session = engine.openSession()) {
            return session.generate(ids(tokens), GREEDY, piece -> {}).stats().prefillTokensPerSecond();
        }
    }

    /** Decoded tokens per second behind a context; each repetition goes on from the same fork. */
    SpeedReport.Depth decode(int depth, int tokens, double bandwidth, long weightBytes) {
        double[] rates = new double[repeats];
        long kvBytes = 0;
        double seconds = 0;
        long encoding;
        try (Session session = engine.openSession()) {
            if (depth > 0) {
                session.read(ids(depth));
            }
            encoding = engine.usage().encodingNanos();
            for (int i = 0; i < repeats; i++) {
                try (Session fork = session.fork()) {
                    rates[i] = decode(fork, tokens);
                    seconds += (tokens - 1) / rates[i]; // the first comes with the prompt
                    // What is read is between what was there at first and at last.
                    kvBytes = fork.kvBytes() * (2L * depth + tokens) / (2L * (depth + tokens));
                }
            }
            encoding = engine.usage().encodingNanos() - encoding;
        }
        Spread rate = Spread.of(rates);
        return new SpeedReport.Depth(
                depth, kvBytes, rate, (weightBytes + kvBytes) * rate.median() / bandwidth, encoding * 1e-9 / seconds);
    }

    private double decode(Session session, int tokens) {
        GenerationResult result = session.generate(ids(1), GREEDY.withMaxTokens(tokens), piece -> {});
        return result.stats().decodeTokensPerSecond();
    }

    private int[] ids(int count) {
        int vocabulary = engine.model().config().vocabulary();
        return random.ints(count, Math.min(3, vocabulary - 1), vocabulary).toArray();
    }
}
