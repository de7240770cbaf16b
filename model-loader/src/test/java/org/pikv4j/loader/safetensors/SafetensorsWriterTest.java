package org.pikv4j.loader.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path temp;

    private Path file;

    @BeforeEach
    void setUp() {
        file = temp.resolve("out.safetensors");
    }

    @Test
    void readsBackWhatWasWritten() throws IOException {
        float[] floats = new float[300_000];
        Random random = new Random(1);
        for (int i = 0; i < floats.length; i++) {
            floats[i] = random.nextFloat() - 0.5f;
        }
        List<TensorDeclaration> tensors = List.of(
                new TensorDeclaration("empty first", ElementType.F32, 0, 7),
                new TensorDeclaration("half \"quoted\" ✓", ElementType.F16, 3),
                new TensorDeclaration("ints", ElementType.I32, 2, 2),
                new TensorDeclaration("scalar", ElementType.F32),
                new TensorDeclaration("brain", ElementType.BF16, 5),
                new TensorDeclaration("many", ElementType.F32, 300, 1000),
                new TensorDeclaration("raw", ElementType.U8, 3),
                new TensorDeclaration("empty last", ElementType.I64, 0));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, Map.of("made", "here"))) {
            writer.write(new float[] {1, -2, 0.1f}, 0, 3);
            writer.write(new int[] {9, 1, -2, Integer.MIN_VALUE, 9}, 1, 3);
            writer.write(new int[] {Integer.MAX_VALUE}, 0, 1);
            writer.write(new float[] {7}, 0, 1);
            writer.write(new float[] {0, 1.00390625f, 1, Float.NEGATIVE_INFINITY, 1e-3f}, 0, 5);
            for (int i = 0; i < floats.length; i += 1000) {
                writer.write(floats, i, 1000);
            }
            writer.write(MemorySegment.ofArray(new byte[] {1, 2, 3}));
            writer.finish();
        }
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile read = SafetensorsFile.map(file, arena);
            assertThat(read.metadata()).containsExactly(Map.entry("made", "here"));
            assertThat(read.names())
                    .containsExactlyElementsOf(
                            tensors.stream().map(TensorDeclaration::name).toList());
            for (TensorDeclaration tensor : tensors) {
                assertThat(read.require(tensor.name()).type()).isEqualTo(tensor.type());
                assertThat(read.require(tensor.name()).shape()).isEqualTo(tensor.shape());
            }
            assertThat(read.require("half \"quoted\" ✓").tensor().toFloats())
                    .containsExactly(1, -2, Float.float16ToFloat(Float.floatToFloat16(0.1f)));
            assertThat(read.require("ints").toInts()).containsExactly(1, -2, Integer.MIN_VALUE, Integer.MAX_VALUE);
            assertThat(read.require("scalar").tensor().toFloats()).containsExactly(7);
            // 1 + 2^-8 is halfway between two bfloat16 and goes to the even one.
            assertThat(read.require("brain").tensor().toFloats()).startsWith(0, 1, 1, Float.NEGATIVE_INFINITY);
            assertThat(read.require("many").tensor().toFloats()).isEqualTo(floats);
            assertThat(read.require("raw").data().toArray(ValueLayout.JAVA_BYTE))
                    .containsExactly(1, 2, 3);
            assertThat(read.require("empty last").toInts()).isEmpty();
        }
    }

    @Test
    void alignsTheData() throws IOException {
        for (int length = 1; length < 10; length++) {
            write(List.of(new TensorDeclaration("x".repeat(length), ElementType.F32, 1)));
            assertThat(Files.size(file) % 8).isEqualTo(4);
        }
    }

    @Test
    void leavesNothingHalfWritten() throws IOException {
        Files.writeString(file, "what was there");
        SafetensorsWriter writer =
                SafetensorsWriter.create(file, List.of(new TensorDeclaration("x", ElementType.F32, 2)), Map.of());
        writer.write(new float[1], 0, 1);
        assertThatThrownBy(writer::finish)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("x lacks 4 bytes");
        writer.close();
        assertThat(file).hasContent("what was there");
        assertThat(entries()).containsExactly("out.safetensors");
    }

    @Test
    void doesNotFinishTwiceOrAfterClose() throws IOException {
        SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(), Map.of());
        writer.finish();
        assertThatThrownBy(writer::finish).isInstanceOf(IOException.class);
        writer.close();
        writer.close();
        assertThat(entries()).containsExactly("out.safetensors");
    }

    @Test
    void refusesMoreThanWasDeclared() throws IOException {
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, List.of(new TensorDeclaration("x", ElementType.F32, 2)), Map.of())) {
            assertThatThrownBy(() -> writer.write(new float[3], 0, 3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("x lacks 8 bytes, but 12 were given");
            assertThatThrownBy(() -> writer.write(new int[2], 0, 2)).isInstanceOf(IllegalArgumentException.class);
            writer.write(new float[2], 0, 2);
            assertThatThrownBy(() -> writer.write(new float[1], 0, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("all declared tensors are complete");
        }
        assertThat(entries()).isEmpty();
    }

    @Test
    void refusesImpossibleDeclarations() throws IOException {
        TensorDeclaration x = new TensorDeclaration("x", ElementType.F32, 2);
        assertThatThrownBy(() -> SafetensorsWriter.create(file, List.of(x, x), Map.of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SafetensorsWriter.create(
                        file, List.of(new TensorDeclaration("__metadata__", ElementType.F32, 2)), Map.of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new TensorDeclaration("x", ElementType.F32, -1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SafetensorsWriter.create(temp.resolve("no/where"), List.of(x), Map.of()))
                .isInstanceOf(IOException.class);
        assertThat(entries()).isEmpty();
    }

    private void write(List<TensorDeclaration> tensors) throws IOException {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            for (TensorDeclaration tensor : tensors) {
                writer.write(MemorySegment.ofArray(new byte[Math.toIntExact(tensor.bytes())]));
            }
            writer.finish();
        }
    }

    private List<String> entries() throws IOException {
        try (Stream<Path> list = Files.list(temp)) {
            return list.map(path -> String.valueOf(path.getFileName())).toList();
        }
    }
}
