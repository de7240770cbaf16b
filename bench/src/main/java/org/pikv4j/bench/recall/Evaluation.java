package org.pikv4j.bench.recall;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.InvalidOptionException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * A document and questions about it: a line of an evaluation file.
 *
 * @param id its name
 * @param document what is read first
 * @param questions what is asked then, each for itself
 */
public record Evaluation(String id, String document, List<Question> questions) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /**
     * @param question as a person would ask
     * @param answer the one right answer
     */
    public record Question(String question, String answer) {

        /**
         * @return what is put after the document; the model goes on with the answer and a line break
         */
        public String prompt() {
            return "Question: " + question + " Answer:";
        }

        /**
         * @param text what the model went on with
         * @return whether its first line is the answer
         */
        public boolean answeredBy(String text) {
            return text.lines().findFirst().orElse("").strip().equals(answer);
        }
    }

    /**
     * @param option the option that named the file
     * @param file one JSON object per line
     * @param limit rows taken, from the first; all where empty
     * @return its rows
     * @throws InvalidOptionException naming the option, the file and the line
     */
    public static List<Evaluation> read(String option, String file, Optional<Integer> limit) {
        if (limit.isPresent() && limit.get() < 1) {
            throw new InvalidOptionException("--limit must be at least 1, not " + limit.get());
        }
        String source = option + " " + file + ": ";
        List<String> lines = TextFile.read(option, file, System.in).lines().toList();
        List<Evaluation> rows = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) {
                rows.add(parse(source + "line " + (i + 1) + " ", lines.get(i)));
            }
        }
        if (rows.isEmpty()) {
            throw new InvalidOptionException(source + "holds no rows");
        }
        return rows.subList(0, Math.min(rows.size(), limit.orElse(rows.size())));
    }

    private static Evaluation parse(String source, String line) {
        Evaluation row;
        try {
            row = JSON.readValue(line, Evaluation.class);
        } catch (JacksonException e) {
            throw new InvalidOptionException(source + "is no evaluation: " + e.getOriginalMessage());
        }
        boolean whole = row != null
                && row.document() != null
                && row.questions() != null
                && row.questions().stream()
                        .allMatch(question ->
                                question != null && question.question() != null && question.answer() != null);
        if (!whole) {
            throw new InvalidOptionException(source + "lacks one of document, questions, question and answer");
        }
        return row;
    }
}
