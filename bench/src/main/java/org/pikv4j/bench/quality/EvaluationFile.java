package org.pikv4j.bench.quality;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.pikv4j.bench.recall.Evaluation;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.InvalidOptionException;

/**
 * Documents of one file.
 *
 * @param name of the file
 * @param rows its documents
 */
public record EvaluationFile(String name, List<Evaluation> rows) {
    private static final Pattern BY_LENGTH = Pattern.compile("eval-(\\d{1,9})\\.jsonl");

    /**
     * @param data files, or directories with files called {@code eval-LENGTH.jsonl}
     * @param lengths which of these; all if empty
     * @param limit documents taken of each file; all where empty
     * @return the files, those of a directory by length
     * @throws InvalidOptionException if there is no such file, or one is damaged
     */
    static List<EvaluationFile> read(List<String> data, List<Integer> lengths, Optional<Integer> limit) {
        List<String> files = new ArrayList<>();
        for (String place : data) {
            if (Files.isDirectory(Path.of(place))) {
                files.addAll(within(place, lengths));
            } else if (lengths.isEmpty()) {
                files.add(place);
            } else {
                throw new InvalidOptionException(
                        "--lengths picks files of a directory, and --data " + place + " is none");
            }
        }
        return files.stream()
                .map(file -> new EvaluationFile(
                        String.valueOf(Path.of(file).getFileName()), Evaluation.read("--data", file, limit)))
                .toList();
    }

    private static List<String> within(String directory, List<Integer> lengths) {
        if (!lengths.isEmpty()) {
            return lengths.stream()
                    .map(length ->
                            Path.of(directory, "eval-" + length + ".jsonl").toString())
                    .toList();
        }
        try (Stream<Path> files = Files.list(Path.of(directory))) {
            List<String> found = files.filter(file -> length(file) >= 0)
                    .sorted(Comparator.comparingInt(EvaluationFile::length))
                    .map(Path::toString)
                    .toList();
            if (found.isEmpty()) {
                throw new InvalidOptionException("--data " + directory + ": holds no eval-LENGTH.jsonl");
            }
            return found;
        } catch (IOException e) {
            throw new InvalidOptionException("--data " + directory + ": cannot be read: " + TextFile.reason(e));
        }
    }

    private static int length(Path file) {
        Matcher matcher = BY_LENGTH.matcher(String.valueOf(file.getFileName()));
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    /**
     * @return how many are asked of all documents
     */
    public int questions() {
        return rows.stream().mapToInt(row -> row.questions().size()).sum();
    }
}
