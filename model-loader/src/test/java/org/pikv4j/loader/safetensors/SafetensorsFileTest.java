package org.pikv4j.loader.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.pikv4j.error.ModelFormatException;

class SafetensorsFileTest {
    @TempDir
    Path temp;

    private Path file;

    @BeforeEach
    void setUp() {
        file = temp.resolve("model.safetensors");
    }

    static Stream<Arguments> damagedHeaders() {
        return Stream.of(
                Arguments.of("", 0, "not a safetensors file: the header is not a JSON object"),
                Arguments.of("[]", 0, "not a safetensors file: the header is not a JSON object"),
                Arguments.of("{", 0, "the header is not valid JSON"),
                Arguments.of("{} {}", 0, "the header goes on after its JSON object"),
                Arguments.of("{} x", 0, "the header is not valid JSON"),
                Arguments.of("{}", 3, ": the bytes 0 to 2 behind the header belong to no tensor"),
                Arguments.of("{\"__metadata__\":[]}", 0, "__metadata__ is not an object"),
                Arguments.of("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ entry a is not a string"),
                Arguments.of("{\"t\":7}", 0, "tensor t: its entry in the header is not an object"),
                Arguments.of("{\"t\":" + "[".repeat(5000) + "}", 0, "tensor t: its entry"),
                Arguments.of(
                        "{\"t\":{\"x\":" + "[".repeat(5000) + "]".repeat(5000) + "}}",
                        0,
                        "the header is not valid JSON: Document nesting depth"),
                Arguments.of(entry("\"F31\"", "[1]", "[0,4]"), 4, "tensor t: unknown dtype F31"),
                Arguments.of(entry("4", "[1]", "[0,4]"), 4, "tensor t: dtype is not a string"),
                Arguments.of("{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "tensor t: data_offsets is missing"),
                Arguments.of("{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor t: shape is missing"),
                Arguments.of("{\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor t: dtype is missing"),
                Arguments.of(entry("\"F32\"", "[-1]", "[0,4]"), 4, "tensor t: shape holds -1"),
                Arguments.of(entry("\"F32\"", "[1.0]", "[0,4]"), 4, "tensor t: shape holds 1.0"),
                Arguments.of(entry("\"F32\"", "[\"1\"]", "[0,4]"), 4, "tensor t: shape holds 1, expected integers"),
                Arguments.of(entry("\"F32\"", "[[1]]", "[0,4]"), 4, "tensor t: shape holds START_ARRAY"),
                Arguments.of(entry("\"F32\"", "1", "[0,4]"), 4, "tensor t: shape is not a list"),
                Arguments.of(
                        entry("\"F32\"", "[99999999999999999999]", "[0,4]"),
                        4,
                        "tensor t: shape holds 99999999999999999999"),
                Arguments.of(
                        entry("\"F32\"", "[4294967296,4294967296]", "[0,4]"),
                        4,
                        "tensor t: shape [4294967296, 4294967296] of F32 has no size"),
                Arguments.of(entry("\"F32\"", "[4611686018427387904]", "[0,4]"), 4, "of F32 has no size"),
                Arguments.of(entry("\"F4\"", "[3]", "[0,1]"), 1, "of F4 has no size"),
                Arguments.of(
                        entry("\"U8\"", "[" + "1,".repeat(64) + "1]", "[0,1]"),
                        1,
                        "tensor t: shape has more than 64 numbers"),
                Arguments.of(entry("\"F32\"", "[1]", "[4,0]"), 4, "tensor t: data_offsets are reversed: [4, 0]"),
                Arguments.of(entry("\"F32\"", "[1]", "[0]"), 4, "tensor t: data_offsets has 1 numbers instead of 2"),
                Arguments.of(entry("\"F32\"", "[1]", "[0,4,8]"), 4, "tensor t: data_offsets has more than 2 numbers"),
                Arguments.of(
                        entry("\"F32\"", "[2]", "[0,4]"),
                        4,
                        "tensor t: data_offsets span 4 bytes, but shape [2] of F32 needs 8"),
                Arguments.of(
                        entry("\"F32\"", "[2]", "[0,8]"),
                        4,
                        "tensor t: data_offsets end at byte 8 of the data, but the file has only 4 bytes"),
                Arguments.of(
                        entry("\"F32\"", "[1]", "[4,8]"),
                        8,
                        ".safetensors: the bytes 0 to 3 behind the header belong to no tensor"),
                Arguments.of(
                        entry("\"F32\"", "[1]", "[0,4]"),
                        8,
                        ".safetensors: the bytes 4 to 7 behind the header belong to no tensor"),
                Arguments.of(
                        "{\"a\":" + tensor("\"U8\"", "[4]", "[0,4]") + ",\"b\":" + tensor("\"U8\"", "[4]", "[2,6]")
                                + "}",
                        6,
                        "tensor b: data_offsets begin at byte 2, inside tensor a that ends at 4"),
                Arguments.of(
                        "{\"a\":" + tensor("\"U8\"", "[4]", "[0,4]") + ",\"b\":" + tensor("\"U8\"", "[0]", "[2,2]")
                                + "}",
                        4,
                        "tensor b: data_offsets begin at byte 2, inside tensor a"),
                Arguments.of(
                        "{\"a\":" + tensor("\"U8\"", "[4]", "[0,4]") + ",\"a\":" + tensor("\"U8\"", "[0]", "[4,4]")
                                + "}",
                        4,
                        "the header is not valid JSON: Duplicate"),
                Arguments.of("{\"a\\nb\":{}}", 0, "tensor a\\u000ab: dtype is missing"));
    }

    @ParameterizedTest
    @MethodSource("damagedHeaders")
    void refusesADamagedHeader(String header, int dataBytes, String message) throws IOException {
        write(header.getBytes(StandardCharsets.UTF_8), dataBytes);
        refused(message);
    }

    @Test
    void refusesALengthThatCannotBe() throws IOException {
        Files.write(file, new byte[7]);
        refused("not a safetensors file: 7 bytes are too few for a header");
        Files.write(file, new byte[0]);
        refused("not a safetensors file: 0 bytes are too few for a header");
        writeLength(3, 2);
        refused("the header claims 3 bytes; at most 2 are possible");
        writeLength(-1, 2);
        refused("the header claims 18446744073709551615 bytes; at most 2 are possible");
        writeLength(Long.MAX_VALUE, 2);
        refused("the header claims 9223372036854775807 bytes; at most 2 are possible");
    }

    @Test
    void refusesAHeaderBeyondTheFormatsLimit() throws IOException {
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            channel.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 100_000_001));
            // A sparse file: as long as the header claims, without the bytes.
            channel.position(200_000_000);
            channel.write(ByteBuffer.allocate(1));
        }
        refused("the header claims 100000001 bytes; at most 100000000 are possible");
    }

    @Test
    void refusesWhatIsNotUtf8() throws IOException {
        write(new byte[] {'{', '"', (byte) 0xc3, '"', ':', '1', '}'}, 0);
        refused("not valid UTF-8");
        write("{}".getBytes(StandardCharsets.UTF_16LE), 0);
        refused("the header is not valid JSON");
    }

    @Test
    void refusesWhatIsNoFile() throws IOException {
        refused("no such file");
        Files.createDirectory(file);
        refused("not a regular file");
    }

    @Test
    void acceptsWhatTheFormatAllows() throws IOException {
        // A scalar, empty tensors at either end and between, an unknown field, blanks after the header, any order.
        String header = "{\"__metadata__\":{\"k\":\"v\"},\"z\":" + tensor("\"I64\"", "[1]", "[4,12]")
                + ",\"empty\":" + tensor("\"F32\"", "[9223372036854775807,2,0]", "[4,4]")
                + ",\"s\":{\"extra\":{\"deep\":[1]},\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}"
                + ",\"end\":" + tensor("\"F8_E4M3\"", "[0]", "[12,12]") + "}   ";
        write(header.getBytes(StandardCharsets.UTF_8), 12);
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile read = SafetensorsFile.map(file, arena);
            assertThat(read.names()).containsExactly("z", "empty", "s", "end");
            assertThat(read.mappedBytes()).isEqualTo(Files.size(file));
            assertThat(read.require("s").tensor().toFloats()).containsExactly(0);
            assertThat(read.require("z").toInts()).containsExactly(0);
            assertThat(read.require("end").data().byteSize()).isZero();
            assertThatThrownBy(() -> read.require("end").tensor())
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessage(file + ": tensor end has the type F8_E4M3; supported are F32, BF16 and F16");
            assertThatThrownBy(() -> read.require("empty").tensor())
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("which is not possible");
            assertThatThrownBy(() -> read.require("s").toInts())
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessage(file + ": tensor s has the type F32, expected I32 or I64");
            assertThatThrownBy(() -> read.require("none"))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessage(file + ": tensor none is missing");
        }
    }

    @Test
    void readsAtAnyAlignment() throws IOException {
        for (String blanks : new String[] {"", " ", "  ", "   "}) {
            byte[] header = (entry("\"F32\"", "[2]", "[0,8]") + blanks).getBytes(StandardCharsets.UTF_8);
            ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + 8).order(ByteOrder.LITTLE_ENDIAN);
            bytes.putLong(header.length).put(header).putFloat(1.5f).putFloat(-2);
            Files.write(file, bytes.array());
            try (Arena arena = Arena.ofConfined()) {
                assertThat(SafetensorsFile.map(file, arena)
                                .require("t")
                                .tensor()
                                .toFloats())
                        .containsExactly(1.5f, -2);
            }
        }
    }

    private void refused(String message) {
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> SafetensorsFile.map(file, arena))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageStartingWith(file + ": ")
                    .hasMessageContaining(message)
                    .message()
                    .doesNotContain("\n");
        }
    }

    private void write(byte[] header, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(file, bytes.putLong(header.length).put(header).array());
    }

    private void writeLength(long length, int bytes) throws IOException {
        Files.write(
                file,
                ByteBuffer.allocate(8 + bytes)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(length)
                        .array());
    }

    private static String entry(String dtype, String shape, String offsets) {
        return "{\"t\":" + tensor(dtype, shape, offsets) + "}";
    }

    private static String tensor(String dtype, String shape, String offsets) {
        return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
    }
}
