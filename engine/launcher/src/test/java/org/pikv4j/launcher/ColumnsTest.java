package org.pikv4j.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ColumnsTest {
    @ParameterizedTest
    @CsvSource({"'24 80\n', 80", "'0 0\n', 0", "'', 0", "stty: not a terminal, 0", "24 99999999999, 0"})
    void theTerminalsAnswer(String answer, int columns) {
        assertThat(Columns.ofStty(answer)).isEqualTo(columns);
    }

    @ParameterizedTest
    @CsvSource({"132, 132", "'', 0", "-5, 0", "wide, 0", "99999999999, 0"})
    void theVariable(String value, int columns) {
        assertThat(Columns.ofVariable(value)).isEqualTo(columns);
    }
}
