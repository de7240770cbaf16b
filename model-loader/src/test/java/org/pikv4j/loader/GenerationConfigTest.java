package org.pikv4j.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.config.GenerationConfig;
import org.pikv4j.model.GenerationDefaults;

class GenerationConfigTest {
    @TempDir
    Path temp;

    @Test
    void isGreedyWithoutAFile() {
        GenerationDefaults defaults = GenerationConfig.read(temp, List.of(2, 5));
        assertThat(defaults.endTokens()).containsExactlyInAnyOrder(2, 5);
        assertThat(defaults.sample()).isFalse();
        assertThat(defaults.temperature()).isEmpty();
        assertThat(defaults.maxNewTokens()).isEmpty();
        assertThat(defaults.stopStrings()).isEmpty();
    }

    @Test
    void readsEveryField() throws IOException {
        GenerationDefaults defaults = read("""
                {"bos_token_id": 1, "eos_token_id": [7, 8, 7], "do_sample": true, "temperature": 0.6, "top_k": 20,
                 "top_p": 0.95, "min_p": 0, "repetition_penalty": 1.05, "max_new_tokens": 16, "max_length": 4,
                 "stop_strings": ["\\n", "END"]}
                """);
        assertThat(defaults.endTokens()).containsExactlyInAnyOrder(7, 8);
        assertThat(defaults.sample()).isTrue();
        assertThat(defaults.temperature()).hasValue(0.6f);
        assertThat(defaults.topK()).hasValue(20);
        assertThat(defaults.topP()).hasValue(0.95f);
        assertThat(defaults.minP()).hasValue(0f);
        assertThat(defaults.repetitionPenalty()).hasValue(1.05f);
        assertThat(defaults.maxNewTokens()).hasValue(16);
        assertThat(defaults.stopStrings()).containsExactly("\n", "END");
    }

    @Test
    void readsSingleValuesAndFallsBack() throws IOException {
        GenerationDefaults defaults = read("{\"stop_strings\": \"END\", \"top_k\": 0, \"temperature\": null}");
        assertThat(defaults.endTokens()).containsExactly(2);
        assertThat(defaults.stopStrings()).containsExactly("END");
        assertThat(defaults.topK()).isEmpty();
        assertThat(defaults.temperature()).isEmpty();
        assertThat(read("{\"eos_token_id\": 9}").endTokens()).containsExactly(9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "eos_token_id | -1 | eos_token_id is -1, expected an integer of at least 0",
                "do_sample | 1 | do_sample is 1, expected true or false",
                "temperature | -0.5 | temperature is -0.5, expected a number from 0",
                "top_k | -2 | top_k is -2, expected an integer of at least -1",
                "top_p | 1.5 | top_p is 1.5, expected a number from 0 to 1",
                "min_p | \"x\" | min_p is \"x\", expected a finite number",
                "repetition_penalty | 0 | repetition_penalty is 0.0, expected a number above 0",
                "max_new_tokens | 0 | max_new_tokens is 0, expected a positive integer",
                "stop_strings | [1] | stop_strings is 1, expected a string"
            })
    void refuses(String field, String value, String message) {
        assertThatThrownBy(() -> read("{\"" + field + "\": " + value + "}"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageStartingWith(temp.resolve("generation_config.json") + ": " + message);
    }

    private GenerationDefaults read(String json) throws IOException {
        Files.writeString(temp.resolve("generation_config.json"), json);
        return GenerationConfig.read(temp, List.of(2));
    }
}
