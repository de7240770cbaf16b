package org.pikv4j.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.PiKV;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.decode.GateRows;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

class TraceTest {
    private static final Path MODEL = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");
    private static final String TEXT = "Notes:\nThe knife is in the chapel. The ring is in the garage.\n";

    /** A trace that no test touches. */
    private static byte[] recorded = {};

    private static int[] ids = {};
    private static final Seen SEEN = new Seen();

    @TempDir
    private Path directory;

    /** What an observer saw of the same run. */
    private static final class Seen implements AttentionObserver {
        final List<AttentionRows> rows = new ArrayList<>();
        final List<GateRows> gates = new ArrayList<>();

        @Override
        public void observe(GateRows shown) {
            gates.add(new GateRows(
                    shown.layer(),
                    shown.position(),
                    shown.first(),
                    shown.count(),
                    shown.experts(),
                    shown.probabilities().clone()));
        }

        @Override
        public void observe(AttentionRows shown) {
            rows.add(new AttentionRows(
                    shown.layer(),
                    shown.spec(),
                    shown.position(),
                    shown.first(),
                    shown.count(),
                    shown.queries().clone(),
                    shown.keys().clone(),
                    shown.values().clone(),
                    shown.attended().clone(),
                    shown.read()));
        }
    }

    @BeforeAll
    static void record(@TempDir Path target) throws IOException {
        Path file = target.resolve("run.trace");
        try (Engine engine = PiKV.model(MODEL).prefillChunk(16).open();
                Session session = engine.openSession();
                TraceRecorder recorder = new TraceRecorder(file, engine.model().config())) {
            ids = engine.model().tokenizer().encode(TEXT, true);
            int prompt = ids.length - 3;
            session.observe(Optional.of(new AttentionObserver() {
                @Override
                public void observe(AttentionRows rows) {
                    SEEN.observe(rows);
                    recorder.observe(rows);
                }

                @Override
                public void observe(GateRows rows) {
                    SEEN.observe(rows);
                    recorder.observe(rows);
                }
            }));
            session.read(Arrays.copyOf(ids, prompt));
            for (int i = prompt; i < ids.length; i++) {
                session.read(new int[] {ids[i]});
            }
            assertThat(file).doesNotExist();
            recorder.finish("demo", ids, prompt);
        }
        try (Stream<Path> files = Files.list(target)) {
            assertThat(files).containsExactly(file);
        }
        recorded = Files.readAllBytes(file);
    }

    private Path file() throws IOException {
        return Files.write(directory.resolve("run.trace"), recorded);
    }

    @Test
    void whatAnObserverSawStandsInTheFile() throws IOException {
        Path file = file();
        try (Trace trace = Trace.open(file)) {
            assertThat(trace.tokens()).isEqualTo(ids);
            assertThat(trace.promptTokens()).isEqualTo(ids.length - 3);
            assertThat(trace.model()).isEqualTo("demo");
            assertThat(trace.layers()).hasSize(4);
            assertThat(SEEN.rows).hasSize(4 * (Math.ceilDiv(ids.length - 3, 16) + 3));
            for (AttentionRows rows : SEEN.rows) {
                AttentionSpec spec = trace.layers().get(rows.layer()).spec();
                assertThat(spec.heads()).isEqualTo(rows.spec().heads());
                assertThat(spec.kvHeads()).isEqualTo(rows.spec().kvHeads());
                assertThat(spec.scale()).isEqualTo(rows.spec().scale());
                assertThat(spec.window()).isEqualTo(rows.spec().window());
                assertThat(spec.rope()).isEqualTo(rows.spec().rope());
                float[] read = new float[rows.count() * spec.queryWidth()];
                trace.queries(rows.layer(), rows.position(), rows.count(), read);
                assertThat(read).isEqualTo(part(rows.queries(), rows, spec.queryWidth()));
                read = new float[rows.count() * spec.kvWidth()];
                trace.keys(rows.layer(), rows.position(), rows.count(), read);
                assertThat(read).isEqualTo(part(rows.keys(), rows, spec.kvWidth()));
                trace.values(rows.layer(), rows.position(), rows.count(), read);
                assertThat(read).isEqualTo(part(rows.values(), rows, spec.kvWidth()));
            }
            assertThat(SEEN.gates).hasSameSizeAs(SEEN.rows);
            for (GateRows rows : SEEN.gates) {
                assertThat(trace.layers().get(rows.layer()).experts()).isEqualTo(8);
                float[] read = new float[rows.count() * 8];
                trace.gates(rows.layer(), rows.position(), rows.count(), read);
                assertThat(read)
                        .isEqualTo(Arrays.copyOfRange(
                                rows.probabilities(), rows.first() * 8, (rows.first() + rows.count()) * 8));
            }
        }
    }

    private static float[] part(float[] all, AttentionRows rows, int width) {
        return Arrays.copyOfRange(all, rows.first() * width, (rows.first() + rows.count()) * width);
    }

    @Test
    void nothingIsLeftOfWhatWasNotFinished() throws IOException {
        Path file = directory.resolve("run.trace");
        try (Engine engine = PiKV.model(MODEL).open();
                Session session = engine.openSession();
                TraceRecorder recorder = new TraceRecorder(file, engine.model().config())) {
            assertThatThrownBy(() -> recorder.finish("demo", ids, 1)).isInstanceOf(IllegalStateException.class);
            session.observe(Optional.of(recorder));
            session.read(ids);
            // From the first token on, once.
            try (Session other = engine.openSession()) {
                other.observe(Optional.of(recorder));
                assertThatThrownBy(() -> other.read(ids)).hasMessageContaining("position 0 came out of turn");
            }
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "pikv4j-trace    | pikv4j-other    | is no trace: make one with run --trace",
                "version\":\"1\" | version\":\"7\" | is a trace of version 7; this program reads 1",
                "prompt_tokens   | prompt_tokenz   | __metadata__.prompt_tokens is missing",
                "layers\":\"4\"  | layers\":\"5\"  | tensor layers.4.queries is missing",
                "layers\":\"4\"  | layers\":\"x\"  | __metadata__.layers must be a number from 1 to 65536",
                "layers.2.keys   | layers.2.keyz   | tensor layers.2.keys is missing",
                "full            | fuls            | __metadata__.layers.0.window must be a number from 1 to 2147483647",
                "scale\":\"0.1   | scale\":\"-.1   | __metadata__.layers.0.scale must be a positive number",
                "2,64]           | 64,2]           | tensor layers.0.keys has rows [64, 2], which do not go with queries"
            })
    void whatIsWrongWithAFileIsSaid(String good, String bad, String message) throws IOException {
        Path file = file();
        String all = new String(recorded, StandardCharsets.ISO_8859_1);
        assertThat(all).contains(good.strip());
        assertThat(bad.strip()).hasSameSizeAs(good.strip());
        Files.writeString(
                file, all.replaceFirst(Pattern.quote(good.strip()), bad.strip()), StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> Trace.open(file))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageStartingWith(file + ": ")
                .hasMessageContaining(message.strip())
                .hasMessageNotContaining("\n");
    }

    @Test
    void aFileThatIsCutOffOrHoldsNoNumbersIsNamed() throws IOException {
        Path file = file();
        byte[] bytes = recorded.clone();
        for (int length : new int[] {0, 7, 100, bytes.length / 2, bytes.length - 1}) {
            Files.write(file, Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> Trace.open(file))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageStartingWith(file + ": ");
        }
        Arrays.fill(bytes, bytes.length - 4, bytes.length, (byte) 0xff);
        Files.write(file, bytes);
        try (Trace trace = Trace.open(file)) {
            int last = trace.length() - 1;
            assertThatThrownBy(() -> trace.gates(3, last, 1, new float[8]))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessage(file + ": tensor layers.3.gates holds a number that is not finite, for token " + last);
        }
    }
}
