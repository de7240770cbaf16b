package org.pikv4j.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.PiKV;
import org.pikv4j.cache.compression.Basis;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.safetensors.SafetensorsWriter;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;

/** Bases of the demo model, fitted to the end of its demo document, on the way from the text to the cache. */
class CalibrationTest {
    private static final Path MODEL = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");
    private static final Path OTHER = Path.of("../../bench/data/recall-codes");
    private static final Path TINY = Path.of("../../model-loader/src/test/resources/fixtures/mixtral");
    private static final int HEAD_DIM = 64;
    private static final int RANK = 40;

    @TempDir
    private static Path directory;

    private static String document = "";
    private static Path file = Path.of("");
    private static CalibrationReport report;

    @BeforeAll
    static void calibrate() throws IOException {
        document = Files.readString(Path.of("../app/demo/document.txt"));
        file = directory.resolve("kv.safetensors");
        try (Engine engine = PiKV.model(MODEL).kvDtype("f32").open()) {
            // Short: the more tokens, up to 512, the longer distillation takes.
            int[] ids = engine.model().tokenizer().encode(document.substring(document.length() - 1200), true);
            report = new Calibrator(engine, CalibrationListener.NONE)
                    .calibrate(ids, EnumSet.allOf(CalibrationMethod.class), RankChoice.parse("0=32;1-=" + RANK));
        }
        report.calibration().write(file);
    }

    @Test
    void theReportHasEveryMethodAndLayer() {
        assertThat(report.layers()).hasSize(5 * 4);
        for (CalibrationReport.Layer layer : report.layers()) {
            assertThat(layer.rank()).isEqualTo(layer.layer() == 0 ? 32 : RANK);
            assertThat(layer.headDim()).isEqualTo(HEAD_DIM);
            assertThat(layer.keys()).isLessThan(1);
            assertThat(layer.values()).isBetween(0.3, 1.0);
            boolean distilled = layer.method() == CalibrationMethod.DISTILL;
            assertThat(layer.divergence().isPresent()).isEqualTo(distilled);
            layer.divergence().ifPresent(gain -> assertThat(gain.after()).isLessThanOrEqualTo(gain.before()));
            layer.outputError().ifPresent(gain -> assertThat(gain.after()).isLessThan(gain.before()));
        }
        for (int layer = 0; layer < 4; layer++) {
            assertThat(of(CalibrationMethod.SVD, layer).keys())
                    .isGreaterThan(of(CalibrationMethod.PRUNE, layer).keys());
        }
    }

    private static CalibrationReport.Layer of(CalibrationMethod method, int layer) {
        return report.layers().stream()
                .filter(each -> each.method() == method && each.layer() == layer)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theFileHoldsWhatWasFitted() throws IOException {
        Calibration read = Calibration.read(file);
        for (String term : List.of("svd:32", "lora++:32", "prune:0.5")) {
            for (HalfShape.Side side : HalfShape.Side.values()) {
                Basis expected = report.calibration().basis(term, side, 2, 1, HEAD_DIM);
                Basis actual = read.basis(term, side, 2, 1, HEAD_DIM);
                assertThat(actual.name()).isEqualTo(term);
                assertThat(actual.rank()).isEqualTo(32);
                assertThat(actual.down()).isEqualTo(expected.down());
                assertThat(actual.up()).isEqualTo(expected.up());
                assertThat(actual.bias()).isEqualTo(expected.bias()).hasSize(term.startsWith("lora++") ? HEAD_DIM : 0);
            }
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.filter(path -> path.toString().endsWith(".tmp"))).isEmpty();
        }
    }

    @Test
    void aSmallerSvdIsAnOrthogonalProjection() {
        Basis basis = report.calibration().basis("svd:7", HalfShape.Side.KEYS, 1, 0, HEAD_DIM);
        float[] stored = new float[7];
        float[] row = new float[HEAD_DIM];
        for (int r = 0; r < 7; r++) {
            Arrays.fill(stored, 0);
            stored[r] = 1;
            basis.expand(stored, 0, row, 0);
            basis.project(row, 0, stored, 0);
            for (int i = 0; i < 7; i++) {
                assertThat(stored[i]).isCloseTo(i == r ? 1 : 0, within(1e-5f));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "svd:41, and 41 is more",
        "svd:65, above the head dim",
        "svd:0, from 1 on",
        "svd:-3, from 1 on",
        "svd:many, from 1 on",
        "lora:32, just that rank",
        "distill:8, just that rank",
        "prune:0.1, and 58 is more",
        "prune:1, from 0 to below 1",
        "prune:x, from 0 to below 1",
        "pca:8, 'pca' is no method"
    })
    void whatIsNotThereIsRefused(String term, String message) {
        assertThatThrownBy(() -> report.calibration().basis(term, HalfShape.Side.KEYS, 1, 0, HEAD_DIM))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void aMethodThatTheFileLacksIsNamed() throws IOException {
        Path svd = directory.resolve("svd.safetensors");
        try (Engine engine = PiKV.model(MODEL).open()) {
            int[] ids = engine.model().tokenizer().encode(document.substring(0, 2000), true);
            new Calibrator(engine, CalibrationListener.NONE)
                    .calibrate(ids, List.of(CalibrationMethod.SVD), RankChoice.parse("8"))
                    .calibration()
                    .write(svd);
        }
        assertThatThrownBy(() ->
                        PiKV.model(MODEL).kvCalibration(svd).kvDtype("lora++:8").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("no bases of lora++")
                .hasMessageContaining("svd.safetensors");
    }

    @Test
    void withoutAFileItSaysWhatToDo() {
        assertThatThrownBy(() -> PiKV.model(MODEL).kvDtype("svd:8").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("calibrate");
    }

    @Test
    void aFileOfAnotherModelIsRefused() {
        assertThatThrownBy(() ->
                        PiKV.model(OTHER).kvCalibration(file).kvDtype("svd:8").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("another model")
                .hasMessageContaining("mixtral, 4 layers of 2 KV heads of 64");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.0001, 0.01, 0.5, 0.999})
    void aTruncatedFileIsNamed(double share) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Path truncated = directory.resolve("truncated.safetensors");
        Files.write(truncated, Arrays.copyOf(bytes, (int) (share * bytes.length)));
        assertThatThrownBy(() -> PiKV.model(MODEL).kvCalibration(truncated).open())
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("truncated.safetensors")
                .hasMessageNotContaining("\n");
    }

    @Test
    void anotherSafetensorsFileIsNoCalibration() throws IOException {
        assertThatThrownBy(() -> Calibration.read(MODEL.resolve("model.safetensors")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("is no calibration");
        Path empty = directory.resolve("empty.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                empty,
                List.of(),
                Map.of("format", "pikv4j-calibration", "version", "1", "methods", "svd", "layers", "4"))) {
            writer.finish();
        }
        assertThatThrownBy(() -> Calibration.read(empty))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("svd.layers.0.keys.down");
        assertThatThrownBy(() -> Calibration.read(directory.resolve("missing.safetensors")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("missing.safetensors");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "65", "0=8", "0-2=8;3=0", "eight", "1-0x=8", ""})
    void ranksThatFitNoModelAreRefused(String text) {
        try (Engine engine = PiKV.model(MODEL).open()) {
            Calibrator calibrator = new Calibrator(engine, CalibrationListener.NONE);
            assertThatThrownBy(() ->
                            calibrator.calibrate(new int[100], List.of(CalibrationMethod.SVD), RankChoice.parse(text)))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("rank");
        }
    }

    @Test
    void aTextThatIsTooShortIsRefusedAndACancelledCalibrationEnds() {
        try (Engine engine = PiKV.model(MODEL).open()) {
            assertThatThrownBy(() -> new Calibrator(engine, CalibrationListener.NONE)
                            .calibrate(new int[63], List.of(CalibrationMethod.SVD), RankChoice.parse("8")))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("63 tokens");
            Calibrator[] self = new Calibrator[1];
            self[0] = new Calibrator(engine, new CalibrationListener() {
                @Override
                public void reading(int done, int total) {
                    self[0].cancel();
                }

                @Override
                public void fitting(int done, int total) {}
            });
            assertThatThrownBy(() ->
                            self[0].calibrate(new int[600], List.of(CalibrationMethod.SVD), RankChoice.parse("8")))
                    .isInstanceOf(CancellationException.class);
            assertThat(engine.usage().heldBytes()).isZero();
        }
    }

    @Test
    void aLongTextIsReadInPieces() {
        try (Engine engine = PiKV.model(TINY).open()) {
            int positions = engine.model().config().maxPositions();
            int[] read = new int[1];
            int[] ids = new int[positions + 100];
            Arrays.setAll(ids, i -> 5 + i % 800);
            new Calibrator(engine, new CalibrationListener() {
                        @Override
                        public void reading(int done, int total) {
                            assertThat(done).isGreaterThan(read[0]);
                            read[0] = done;
                        }

                        @Override
                        public void fitting(int done, int total) {}
                    })
                    .calibrate(ids, List.of(CalibrationMethod.PRUNE), RankChoice.parse("8"));
            assertThat(read[0]).isEqualTo(ids.length);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "svd:32, scalar",
        "'lora++:32,svd:32+f16', vector",
        "'0=lora:32;1-=lora:40', vector",
        "'0=distill:32;1-=distill:40', vector"
    })
    void theCacheIsSmallerAndTheAnswerIsThere(String kvDtype, String backend) {
        String text = document.substring(0, 3900) + document.substring(document.indexOf("\nQuestion:"));
        try (Engine engine = PiKV.model(MODEL)
                        .backend(backend)
                        .kvCalibration(file)
                        .kvDtype(kvDtype)
                        .open();
                Session session = engine.openSession()) {
            GenerationOptions options =
                    GenerationOptions.from(engine.model().generationDefaults()).withMaxTokens(8);
            GenerationResult result = session.generate(text, options);
            assertThat(result.text()).startsWith(" The knife is in the chapel");
            double exact = engine.model().config().kvBytesPerToken(Short.BYTES);
            // Room for the sealed form of pages that are still exact is held too.
            assertThat(session.kvBytes()).isLessThan((long) (0.95 * exact * session.tokens().length));
        }
    }
}
