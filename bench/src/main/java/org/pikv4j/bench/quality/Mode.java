package org.pikv4j.bench.quality;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.pikv4j.error.InvalidOptionException;

/** When tokens are forgotten. Numbers of different modes are not to be compared with each other. */
enum Mode {
    CUT("cut", "the document is read, the cache is cut once, then the questions come"),
    CUT_AWARE("cut-aware", "document and question are read, the cache is cut once, then the answer is generated"),
    HELD("held", "the budget is held while the document is read, and while the questions come");

    private final String label;
    private final String description;

    Mode(String label, String description) {
        this.label = label;
        this.description = description;
    }

    String label() {
        return label;
    }

    String description() {
        return description;
    }

    /**
     * @param label as an option spells it
     * @return the mode
     * @throws InvalidOptionException if there is none
     */
    static Mode of(String label) {
        return Arrays.stream(values())
                .filter(mode -> mode.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new InvalidOptionException("--modes '" + label + "' is unknown; there are "
                        + Arrays.stream(values()).map(Mode::label).collect(Collectors.joining(", "))));
    }

    static List<String> labels() {
        return Arrays.stream(values()).map(Mode::label).toList();
    }
}
