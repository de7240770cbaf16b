package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say what models are asked. */
public final class EvaluationOptions {
    @Option(
            names = "--data",
            paramLabel = "FILE.jsonl",
            required = true,
            arity = "1..*",
            description = "Evaluation files, or directories with files called eval-LENGTH.jsonl.")
    private List<String> data = new ArrayList<>();

    @Option(
            names = "--lengths",
            paramLabel = "LIST",
            split = ",",
            description = "Take only the files of these lengths, 512,1024 for instance.")
    private List<Integer> lengths = List.of();

    @Option(names = "--limit", paramLabel = "N", description = "Take only the first N documents of each file.")
    private Optional<Integer> limit = Optional.empty();

    /**
     * @return the files, those of a directory by length
     * @throws org.pikv4j.error.InvalidOptionException if there is no such file, or one is damaged
     */
    public List<EvaluationFile> files() {
        return EvaluationFile.read(data, lengths, limit);
    }
}
