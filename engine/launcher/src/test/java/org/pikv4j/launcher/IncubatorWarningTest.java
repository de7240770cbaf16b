package org.pikv4j.launcher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IncubatorWarningTest {
    private static final String LINE = "WARNING: Using incubator modules: jdk.incubator.vector\n";

    /** Hands out so many bytes at a time. */
    private static String copy(String text, int chunk) throws IOException {
        InputStream in = new ByteArrayInputStream(text.getBytes(UTF_8)) {
            @Override
            public synchronized int read(byte[] b, int off, int len) {
                return super.read(b, off, Math.min(len, chunk));
            }

            @Override
            public int read(byte[] b) {
                return read(b, 0, b.length);
            }
        };
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        IncubatorWarning.copyWithout(in, out);
        return out.toString(UTF_8);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 55, 56, 8192})
    void onlyThatLineIsLeftOut(int chunk) throws IOException {
        assertThat(copy("", chunk)).isEmpty();
        assertThat(copy(LINE, chunk)).isEmpty();
        assertThat(copy("before\n" + LINE + "after\n", chunk)).isEqualTo("before\nafter\n");
        assertThat(copy("WARNING: other\n\nW\n" + LINE + "WARN", chunk)).isEqualTo("WARNING: other\n\nW\nWARN");
        assertThat(copy("no end, " + LINE, chunk)).isEqualTo("no end, " + LINE);
        assertThat(copy(LINE + LINE, chunk)).as("once only").isEqualTo(LINE);
        assertThat(copy("WARNING: Usi", chunk)).isEqualTo("WARNING: Usi");
        assertThat(copy("\r\u2588\u2588 50%", chunk)).isEqualTo("\r\u2588\u2588 50%");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100})
    void anUnfinishedWarningIsLeftOutToo(int chunk) throws IOException {
        assertThat(copy(LINE.strip(), chunk)).isEmpty();
    }
}
