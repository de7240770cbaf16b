package org.pikv4j.loader.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.JsonText;
import org.pikv4j.model.GenerationDefaults;

/** Reads {@code generation_config.json}, which a model may or may not have. */
public final class GenerationConfig {
    /** The name of the file in a model's directory. */
    public static final String FILE = "generation_config.json";

    private static final int MAX_BYTES = 1 << 20;

    private GenerationConfig() {}

    /**
     * @param directory a model's directory
     * @param endTokens what {@code config.json} says, used where this file says nothing
     * @return the defaults
     * @throws ModelFormatException naming the field that is out of range
     */
    public static GenerationDefaults read(Path directory, List<Integer> endTokens) {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return new GenerationDefaults(
                    new HashSet<>(endTokens),
                    false,
                    Optional.empty(),
                    OptionalInt.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    OptionalInt.empty(),
                    List.of());
        }
        Fields fields = JsonText.object(file, MAX_BYTES);
        List<Integer> ownEndTokens = fields.indices("eos_token_id");
        OptionalInt topK = fields.atLeast("top_k", -1);
        return new GenerationDefaults(
                new HashSet<>(ownEndTokens.isEmpty() ? endTokens : ownEndTokens),
                fields.flag("do_sample", false),
                inRange(fields, "temperature", Float.MAX_VALUE),
                // Hugging Face spells "all tokens" as 0, others as -1.
                topK.isPresent() && topK.getAsInt() <= 0 ? OptionalInt.empty() : topK,
                inRange(fields, "top_p", 1),
                inRange(fields, "min_p", 1),
                repetitionPenalty(fields),
                fields.optionalPositive("max_new_tokens"),
                fields.strings("stop_strings"));
    }

    private static Optional<Float> inRange(Fields fields, String name, float most) {
        OptionalDouble value = fields.number(name);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.getAsDouble() < 0 || value.getAsDouble() > most) {
            throw fields.error(name, "is " + value.getAsDouble() + ", expected a number from 0 to " + most);
        }
        return Optional.of((float) value.getAsDouble());
    }

    private static Optional<Float> repetitionPenalty(Fields fields) {
        OptionalDouble value = fields.positiveNumber("repetition_penalty");
        return value.isEmpty() ? Optional.empty() : Optional.of((float) value.getAsDouble());
    }
}
