package org.pikv4j.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.GenerationDefaults;
import org.pikv4j.session.GenerationOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** How a text is continued. What is not given is taken from the model's {@code generation_config.json}. */
@Command(optionListHeading = "%nGeneration (defaults come from the model's generation_config.json, else as given):%n")
final class SamplingOptions {
    private static final Logger LOG = LoggerFactory.getLogger(SamplingOptions.class);

    private static final GenerationDefaults NONE = new GenerationDefaults(
            Set.of(),
            false,
            Optional.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            List.of());

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            order = 0,
            description = "The most tokens to generate (default: 256).")
    private Optional<Integer> maxTokens = Optional.empty();

    @Option(
            names = "--temperature",
            paramLabel = "T",
            order = 1,
            description = "Divides the logits; 0 always takes the likeliest token (default: 0).")
    private Optional<Float> temperature = Optional.empty();

    @Option(
            names = "--top-k",
            paramLabel = "K",
            order = 2,
            description = "Draw from the K likeliest tokens only; 0 for all (default: 0).")
    private Optional<Integer> topK = Optional.empty();

    @Option(
            names = "--top-p",
            paramLabel = "P",
            order = 3,
            description = "Draw from the likeliest tokens up to this probability (default: 1).")
    private Optional<Float> topP = Optional.empty();

    @Option(
            names = "--min-p",
            paramLabel = "P",
            order = 4,
            description = "Draw from tokens at least this likely, relative to the likeliest (default: 0).")
    private Optional<Float> minP = Optional.empty();

    @Option(
            names = "--repetition-penalty",
            paramLabel = "R",
            order = 5,
            description = "Makes tokens that were seen before less likely; 1 is none (default: 1).")
    private Optional<Float> repetitionPenalty = Optional.empty();

    @Option(
            names = "--seed",
            paramLabel = "S",
            order = 6,
            description = "Of the random numbers; the same seed gives the same text (default: a fresh one).")
    private Optional<Long> seed = Optional.empty();

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            order = 7,
            converter = EscapedText.class,
            description = "End before this text; may be given several times. \\n, \\t, \\r and \\\\ are understood.")
    private List<String> stop = new ArrayList<>();

    /**
     * Looks at the values before a model is loaded.
     *
     * @throws InvalidOptionException if one is out of range
     */
    void check() {
        if (stop.stream().anyMatch(String::isEmpty)) {
            throw new InvalidOptionException("--stop must not be empty");
        }
        GenerationOptions _ = over(NONE);
    }

    /**
     * @param defaults what the model's files propose
     * @return the options, the user's before the model's
     * @throws InvalidOptionException if one is out of range
     */
    GenerationOptions over(GenerationDefaults defaults) {
        GenerationOptions options = GenerationOptions.from(defaults);
        options = maxTokens.map(options::withMaxTokens).orElse(options);
        options = temperature.map(options::withTemperature).orElse(options);
        options = topK.map(options::withTopK).orElse(options);
        options = topP.map(options::withTopP).orElse(options);
        options = minP.map(options::withMinP).orElse(options);
        options = repetitionPenalty.map(options::withRepetitionPenalty).orElse(options);
        options = seed.map(options::withSeed).orElse(options);
        return stop.isEmpty() ? options : options.withStopStrings(stop);
    }

    /**
     * Chooses the seed where neither the user nor the model has: one that programs which read each JSON number as a double
     * can give back as it is.
     *
     * @param options the options
     * @return the same with a seed
     */
    GenerationOptions seeded(GenerationOptions options) {
        return options.seed().isPresent() ? options : options.withSeed(new SplittableRandom().nextLong(1L << 53));
    }

    /**
     * Warns of options that do nothing, because at temperature 0 nothing is drawn.
     *
     * @param options as they are going to be used
     */
    void warn(GenerationOptions options) {
        if (options.temperature() == 0 && (topK.isPresent() || topP.isPresent() || minP.isPresent())) {
            LOG.warn("--top-k, --top-p and --min-p change nothing at temperature 0; give a --temperature as well");
        }
    }
}
