package org.pikv4j;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.pikv4j.loader.safetensors.SafetensorsFile;

/**
 * A tiny checkpoint and what Hugging Face transformers 5.18 (eager attention, float32 arithmetic on the bf16 weights) makes
 * of it.
 *
 * @param model the checkpoint's directory
 * @param inputIds the prompt
 * @param logits (prompt token, vocabulary)
 * @param greedyIds the 24 tokens that follow greedily
 */
record Golden(Path model, int[] inputIds, float[] logits, int[] greedyIds) {
    private static final Path FIXTURES = Path.of("../../model-loader/src/test/resources/fixtures");

    static List<Path> fixtures() {
        try (Stream<Path> directories = Files.list(FIXTURES)) {
            return directories.filter(Files::isDirectory).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path fixture(String name) {
        return FIXTURES.resolve(name);
    }

    static Golden of(Path model) {
        return of(model, model.resolve("golden.safetensors"));
    }

    /** The demo model. */
    static Golden recallMoe() {
        return of(
                Path.of("../cli/src/main/resources/org/pikv4j/cli/demo"),
                Path.of("../../bench/data/recall-moe/golden.safetensors"));
    }

    /** Its harder sibling, with one KV head. */
    static Golden recallCodes() {
        return of(Path.of("../../bench/data/recall-codes"));
    }

    private static Golden of(Path model, Path golden) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.map(golden, arena);
            return new Golden(
                    model,
                    bytes(file, "input_ids").toArray(ValueLayout.JAVA_INT_UNALIGNED),
                    bytes(file, "logits").toArray(ValueLayout.JAVA_FLOAT_UNALIGNED),
                    bytes(file, "greedy_ids").toArray(ValueLayout.JAVA_INT_UNALIGNED));
        }
    }

    private static MemorySegment bytes(SafetensorsFile file, String name) {
        return file.find(name).orElseThrow().data();
    }

    int vocabulary() {
        return logits.length / inputIds.length;
    }

    /** The largest absolute difference between a row of logits and the golden one. */
    float difference(int token, float[] actual, int offset) {
        float largest = 0f;
        for (int v = 0; v < vocabulary(); v++) {
            float difference = Math.abs(actual[offset + v] - logits[token * vocabulary() + v]);
            // Not Math.max alone: a NaN must not pass as the smaller.
            largest = difference <= largest ? largest : difference;
        }
        return largest;
    }
}
