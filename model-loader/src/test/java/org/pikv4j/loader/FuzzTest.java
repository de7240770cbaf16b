package org.pikv4j.loader;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.config.GenerationConfig;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.RawTensor;
import org.pikv4j.loader.safetensors.SafetensorsFile;
import org.pikv4j.loader.safetensors.SafetensorsWriter;
import org.pikv4j.loader.safetensors.TensorDeclaration;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelLoader;

/**
 * Damaged files by the thousand: each is read, or refused by one line; nothing else escapes, no claim in a file costs
 * memory beyond the file's own size, and nothing stays mapped.
 *
 * <p>{@code -Dpikv.seed=N} chooses the files and {@code -Dpikv.fuzz=N} how many of each kind. A failure says how to
 * repeat it alone.
 */
class FuzzTest {
    private static final long SEED = Long.parseLong(property("pikv.seed", "20260101"));
    private static final int CASES = Integer.parseInt(property("pikv.fuzz", "750"));

    /** A damaged file is at most some 100 kB long; parsing it takes a small multiple. */
    private static final long MOST_ALLOCATED = 32L << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final ModelLoader loader = new HuggingFaceLoader();

    @TempDir
    Path temp;

    @Test
    void safetensorsFiles() throws IOException {
        Path whole = temp.resolve("whole.safetensors");
        List<TensorDeclaration> tensors = List.of(
                new TensorDeclaration("a.weight", ElementType.F32, 2, 3),
                new TensorDeclaration("b", ElementType.BF16, 4),
                new TensorDeclaration("empty", ElementType.F16, 0, 2),
                new TensorDeclaration("ids", ElementType.I64, 2),
                new TensorDeclaration("é", ElementType.F8_E4M3, 3, 1, 1));
        try (SafetensorsWriter writer = SafetensorsWriter.create(whole, tensors, Map.of("format", "pt"))) {
            writer.write(new float[6], 0, 6);
            writer.write(new float[4], 0, 4);
            writer.write(MemorySegment.ofArray(new byte[16]));
            writer.write(MemorySegment.ofArray(new byte[3]));
            writer.finish();
        }
        byte[] bytes = Files.readAllBytes(whole);
        Path damaged = temp.resolve("damaged.safetensors");
        fuzz(mutator -> Files.write(damaged, mutator.safetensors(bytes)), () -> readEverything(damaged));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixtral", "qwen2-moe", "qwen3-moe", "olmoe"})
    void configurations(String fixture) throws IOException {
        TestModels.copy(fixture, temp);
        Path config = temp.resolve("config.json");
        byte[] bytes = Files.readAllBytes(config);
        fuzz(mutator -> Files.write(config, mutator.jsonFile(bytes)), this::loadAndClose);
    }

    @Test
    void weights() throws IOException {
        TestModels.copy("llama", temp);
        Path weights = temp.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        fuzz(mutator -> Files.write(weights, mutator.safetensors(bytes)), this::loadAndClose);
    }

    @Test
    void indexes() throws IOException {
        TestModels.shards("llama", temp, tensor -> "model-" + (tensor.length() & 1) + ".safetensors");
        Path index = temp.resolve("model.safetensors.index.json");
        byte[] bytes = Files.readAllBytes(index);
        fuzz(mutator -> Files.write(index, mutator.jsonFile(bytes)), this::loadAndClose);
    }

    @Test
    void generationConfigurations() throws IOException {
        byte[] bytes = """
                {"eos_token_id": [7, 8], "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95,
                 "min_p": 0, "repetition_penalty": 1.05, "max_new_tokens": 16, "stop_strings": ["END"]}
                """.getBytes(StandardCharsets.UTF_8);
        Path file = temp.resolve("generation_config.json");
        fuzz(mutator -> Files.write(file, mutator.jsonFile(bytes)), () -> GenerationConfig.read(temp, List.of(1)));
    }

    @AfterEach
    void nothingStaysMapped() throws IOException {
        Path maps = Path.of("/proc/self/maps");
        if (Files.isReadable(maps)) {
            assertThat(Files.readString(maps)).doesNotContain(temp.toString());
        }
    }

    private interface Damage {
        void write(Mutator mutator) throws IOException;
    }

    private static void fuzz(Damage damage, Runnable read) throws IOException {
        int refused = 0;
        for (int i = 0; i < CASES; i++) {
            damage.write(new Mutator(new Random(SEED + i)));
            long before = THREADS.getCurrentThreadAllocatedBytes();
            try {
                read.run();
            } catch (ModelFormatException e) {
                refused++;
                assertThat(e.getMessage()).as(repeat(i)).doesNotContain("\n").hasSizeLessThan(1000);
            } catch (Throwable e) {
                throw new AssertionError(repeat(i), e);
            }
            assertThat(THREADS.getCurrentThreadAllocatedBytes() - before)
                    .as("bytes allocated; " + repeat(i))
                    .isLessThan(MOST_ALLOCATED);
        }
        if (CASES >= 100) {
            // Otherwise the damage is none, or the reader reads nothing.
            assertThat(refused).isBetween(CASES / 4, CASES - 1);
        }
    }

    private static String repeat(int i) {
        return "repeat with -Dpikv.fuzz=1 -Dpikv.seed=" + (SEED + i);
    }

    private void loadAndClose() {
        try (LoadedModel model = loader.load(temp, _ -> {})) {
            assertThat(model.weights().layers()).hasSameSizeAs(model.config().layers());
        }
    }

    private static void readEverything(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile read = SafetensorsFile.map(file, arena);
            for (String name : read.names()) {
                RawTensor raw = read.require(name);
                for (long at = 0; at < raw.data().byteSize(); at++) {
                    raw.data().get(ValueLayout.JAVA_BYTE, at);
                }
                if (raw.type().dtype().isPresent()) {
                    raw.tensor().toFloats();
                }
            }
        }
    }

    private static String property(String name, String otherwise) {
        String value = System.getProperty(name, "");
        return value.isBlank() ? otherwise : value;
    }
}
